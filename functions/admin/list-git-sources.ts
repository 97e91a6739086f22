import { gitSourceId, listGitSources } from '../../shared/git-source/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { gitSourceView, toGitSourceView } from './git-source.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listGitSourcesOperation = defineOperation({
  id: 'listGitSources',
  method: 'get',
  path: '/v1/git-sources',
  summary: 'List the branches that declare organizations, newest first',
  permission: 'git_source:read',
  query: pageQuery(gitSourceId),
  response: pageOf(gitSourceView),
  act: async (deps, { query }) => {
    const found = await listGitSources({ pool: deps.pool, store: deps.stores.gitSource }, toStorePage(query));
    return ok({ body: toPage(found, query, toGitSourceView) });
  },
});
