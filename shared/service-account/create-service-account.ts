import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { ServiceAccountFailure } from './service-account-failure.ts';
import { serviceAccountId } from './service-account-id.ts';

export type CreateServiceAccountInput = {
  /** Known to exist: callers resolve it before they ask whether it may be changed. */
  readonly organizationId: OrganizationId;
  /** Of the form `serviceAccountNamePattern`. */
  readonly name: string;
  readonly displayName: string;
  readonly actor: Actor;
  readonly managedBy?: ServiceAccount['managedBy'];
};

/** Creates an active service account without any credential or right. */
export async function createServiceAccount(
  deps: ServiceAccountDeps,
  input: CreateServiceAccountInput,
): Promise<Result<ServiceAccount, Extract<ServiceAccountFailure, { code: 'service_account.name_taken' }>>> {
  const account = toServiceAccount(deps, input);
  return withOrg(deps.pool, input.organizationId, async (tx) => {
    if (!(await deps.store.add(tx, account)))
      return fail({ code: 'service_account.name_taken', name: input.name });
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.service-account.created.v1',
      subject: account.id,
      actor: input.actor,
      data: { name: account.name, managedBy: account.managedBy },
    });
    return ok(account);
  });
}

function toServiceAccount(deps: ServiceAccountDeps, input: CreateServiceAccountInput): ServiceAccount {
  const now = deps.clock.now();
  return {
    organizationId: input.organizationId,
    id: serviceAccountId.create(deps),
    name: input.name,
    displayName: input.displayName,
    ownerTeamId: undefined,
    status: 'active',
    managedBy: input.managedBy ?? 'api',
    createdAt: now,
    updatedAt: now,
  };
}
