import { findGitSource } from '../../shared/git-source/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { gitSourceIdField } from './field.schema.ts';
import { gitSourceView, toGitSourceView } from './git-source.schema.ts';
import { defineOperation } from './operation.ts';

export const getGitSourceOperation = defineOperation({
  id: 'getGitSource',
  method: 'get',
  path: '/v1/git-sources/{source}',
  summary: 'Read how far a branch has been observed and applied',
  permission: 'git_source:read',
  params: { source: gitSourceIdField },
  resource: 'source',
  response: gitSourceView,
  act: async (deps, { params }) => {
    const found = await findGitSource({ pool: deps.pool, store: deps.stores.gitSource }, params.source);
    return found === undefined ? fail({ code: 'resource.not_found' }) : ok({ body: toGitSourceView(found) });
  },
});
