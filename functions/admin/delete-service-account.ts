import { revokeApiKeys, revokedAtOnceMax } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { deleteServiceAccount, type ServiceAccountId } from '../../shared/service-account/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { reasonField } from './api-key.schema.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation, type OperationContext } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';

export const deleteServiceAccountOperation = defineOperation({
  id: 'deleteServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/delete',
  summary:
    'Delete a service account for ever: its keys and tokens are refused, its roles gone, its name free',
  permission: 'service_account:delete',
  params: { serviceAccount: serviceAccountIdField },
  body: { reason: reasonField.optional() },
  resource: 'serviceAccount',
  response: serviceAccountView,
  act: async (deps, { params, body, ...context }) => {
    const { actor, organization } = context;
    const deleted = await deleteServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      {
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        actor,
        reason: body.reason,
      },
    );
    if (!deleted.ok) return toServiceAccountProblem(deleted.failure);
    await revokeKeys(deps, context, deleted.value.id);
    return ok({ body: toServiceAccountView(deleted.value, deps.clock.now()) });
  },
});

/**
 * They are refused since the deletion; revoking says so in the trail and in the list of keys. Bounded transactions, since
 * there may be thousands: should one fail, repeating the deletion revokes the rest.
 */
async function revokeKeys(
  deps: AdminDeps,
  { actor, organization }: Pick<OperationContext, 'actor' | 'organization'>,
  id: ServiceAccountId,
): Promise<void> {
  const filter = { owner: { type: 'service_account', id } } as const;
  const input = { organizationId: organization.id, filter, limit: revokedAtOnceMax, actor };
  for (let hasMore = true; hasMore; ) {
    const round = await revokeApiKeys(
      { ...deps, store: deps.stores.apiKey },
      { ...input, reason: 'owner_removed' },
    );
    hasMore = round.hasMore;
  }
}
