import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { type ErasePersonFailure, erasePerson } from '../../shared/personal-data/index.ts';
import { eraseUserParams, erasureView } from './erase-user.schema.ts';
import { defineOperation } from './operation.ts';

export const eraseUserOperation = defineOperation({
  id: 'eraseUser',
  method: 'post',
  path: '/v1/organizations/{org}/users/{user}/erase',
  summary:
    'Erase what the directory, its plans, the audit log and every export of it say of a person, member or not any more, for ever; not what a caller wrote into a question about access: decision records keep that unless the organization masks it; repeating it changes nothing',
  permission: 'personal_data:erase',
  params: eraseUserParams,
  resource: 'user',
  response: erasureView,
  act: async (deps, { actor, organization, params }) => {
    const erased = await erasePerson(
      {
        ...deps,
        keys: deps.stores.subjectKey,
        people: deps.stores.person,
        apiKeys: deps.stores.apiKey,
      },
      { organizationId: organization.id, userId: params.user, actor },
    );
    if (!erased.ok) return toProblem(erased.failure);
    const { userId, erasedAt } = erased.value;
    return ok({ body: { userId, erasedAt: erasedAt.toISOString() } });
  },
});

function toProblem(
  failure: ErasePersonFailure,
): Result<never, { code: 'resource.not_found' | 'resource.conflict'; detail?: string }> {
  if (failure.code === 'person.not_found') return fail({ code: 'resource.not_found' });
  const detail = 'Git still declares this person: remove the declaration first, or it would be applied again';
  return fail({ code: 'resource.conflict', detail });
}
