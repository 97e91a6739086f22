import { type ApiKeyFilter, fingerprintOf, revokeApiKeys } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';
import { revokeApiKeysBody, revokedApiKeysView } from './revoke-api-keys.schema.ts';

export const revokeApiKeysOperation = defineOperation({
  id: 'revokeApiKeys',
  method: 'post',
  path: '/v1/organizations/{org}/api-keys/revoke',
  summary: 'Revoke the oldest API keys that match all of the given; repeat while there are more',
  permission: 'api_key:revoke',
  body: revokeApiKeysBody,
  response: revokedApiKeysView,
  example: { body: { createdBefore: '2020-01-01T00:00:00Z' } },
  about: ({ body }) => ({ serviceAccount: body.serviceAccountId }),
  act: async (deps, { actor, organization, body }) => {
    const { serviceAccountId, userId, labels, createdBefore, limit, reason } = body;
    const owners: ApiKeyFilter['owner'][] = [
      ...(serviceAccountId === undefined ? [] : [{ type: 'service_account' as const, id: serviceAccountId }]),
      ...(userId === undefined ? [] : [{ type: 'user' as const, id: userId }]),
    ];
    if (owners.length > 1)
      return malformed([{ path: 'body.userId', message: 'cannot stand beside serviceAccountId' }]);
    const hasLabels = labels !== undefined && Object.keys(labels).length > 0;
    // Threat: a slip that leaves all criteria out would revoke every key there is.
    if (owners.length === 0 && !hasLabels && createdBefore === undefined)
      return malformed([{ path: 'body', message: 'must name an owner, labels or createdBefore' }]);
    const before = createdBefore === undefined ? undefined : new Date(createdBefore);
    const { revoked, hasMore } = await revokeApiKeys(
      { ...deps, store: deps.stores.apiKey },
      {
        organizationId: organization.id,
        filter: { owner: owners[0], labels, createdBefore: before },
        limit,
        actor,
        reason,
      },
    );
    const fingerprints = revoked.map(({ id, lastFour }) => fingerprintOf(id, lastFour));
    return ok({ body: { revoked: fingerprints, hasMore } });
  },
});
