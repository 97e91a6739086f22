import { type GitSourceFailure, registerGitSource } from '../../shared/git-source/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { toGitSourceView } from './git-source.schema.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';
import { registeredGitSourceView, registerGitSourceBody } from './register-git-source.schema.ts';

export const registerGitSourceOperation = defineOperation({
  id: 'registerGitSource',
  method: 'post',
  path: '/v1/git-sources',
  summary: 'Register a branch that declares organizations; its webhook secret is shown once',
  permission: 'git_source:create',
  body: registerGitSourceBody,
  status: 201,
  creates: true,
  response: registeredGitSourceView,
  example: { body: { url: 'https://git.example/acme/organizations.git', ref: 'main' } },
  act: async (deps, { actor, body }) => {
    const registered = await registerGitSource(
      { ...deps, store: deps.stores.gitSource, webhookSecrets: deps.rings.webhookSecrets },
      { ...body, actor },
    );
    if (!registered.ok) return toProblem(registered.failure);
    const { source, webhookSecret } = registered.value;
    return ok({
      location: `/v1/git-sources/${source.id}`,
      body: { ...toGitSourceView(source), webhookSecret },
    });
  },
});

function toProblem(failure: GitSourceFailure): Result<never, ProblemFailure> {
  if (failure.code === 'git_source.invalid')
    return malformed([{ path: `body.${failure.field}`, message: failure.problem }]);
  return fail({
    code: 'resource.already_exists',
    detail: `"${failure.ref}" of "${failure.url}" is registered`,
  });
}
