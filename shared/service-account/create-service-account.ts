import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Labels } from './labels.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { FailureOf } from './service-account-failure.ts';
import { serviceAccountId } from './service-account-id.ts';

export type CreateServiceAccountInput = {
  /** Known to exist: callers resolve it before they ask whether it may be changed. */
  readonly organizationId: OrganizationId;
  /** Of the form `namePattern` of shared/kernel. */
  readonly name: string;
  readonly displayName: string;
  readonly actor: Actor;
  readonly managedBy?: ServiceAccount['managedBy'];
  readonly ownerTeamId?: string | undefined;
  readonly labels?: Labels | undefined;
  readonly expiresAt?: Date | undefined;
  readonly reason?: string | undefined;
};

type Failure = FailureOf<'name_taken' | 'team_unknown' | 'expiry_in_past'>;

/** Creates an active service account without any credential or right. */
export async function createServiceAccount(
  deps: ServiceAccountDeps,
  input: CreateServiceAccountInput,
): Promise<Result<ServiceAccount, Failure>> {
  const account = toServiceAccount(deps, input);
  if (account.expiresAt !== undefined && account.expiresAt <= account.createdAt)
    return fail({ code: 'service_account.expiry_in_past' });
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    if (account.ownerTeamId !== undefined && !(await deps.store.hasTeam(tx, account.ownerTeamId)))
      return fail({ code: 'service_account.team_unknown' });
    if (!(await deps.store.add(tx, account)))
      return fail({ code: 'service_account.name_taken', name: input.name });
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.service-account.created.v1',
      subject: account.id,
      actor: input.actor,
      data: toEventData(account),
    });
    return ok(account);
  });
}

/** Who asks later why there is such an account finds it here: the row may be gone, or say something else by then. */
function toEventData({ name, managedBy, ownerTeamId, expiresAt, reason }: ServiceAccount) {
  return {
    name,
    managedBy,
    ...(ownerTeamId === undefined ? {} : { ownerTeamId }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function toServiceAccount(deps: ServiceAccountDeps, input: CreateServiceAccountInput): ServiceAccount {
  const now = deps.clock.now();
  return {
    organizationId: input.organizationId,
    id: serviceAccountId.create(deps),
    name: input.name,
    displayName: input.displayName,
    ownerTeamId: input.ownerTeamId,
    status: 'active',
    labels: input.labels ?? {},
    expiresAt: input.expiresAt,
    createdBy: input.actor.id,
    reason: input.reason,
    managedBy: input.managedBy ?? 'api',
    createdAt: now,
    updatedAt: now,
    deletedAt: undefined,
  };
}
