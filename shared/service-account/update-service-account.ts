import { isDeepStrictEqual } from 'node:util';
import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Labels } from './labels.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { FailureOf } from './service-account-failure.ts';
import type { ServiceAccountId } from './service-account-id.ts';

/** What is left out stays; null takes away. Labels are replaced as a whole. */
export type ServiceAccountChange = {
  readonly displayName?: string | undefined;
  readonly ownerTeamId?: string | null | undefined;
  readonly labels?: Labels | undefined;
  readonly expiresAt?: Date | null | undefined;
};

export type UpdateServiceAccountInput = {
  readonly organizationId: OrganizationId;
  readonly serviceAccountId: ServiceAccountId;
  readonly change: ServiceAccountChange;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

type Failure = FailureOf<'not_found' | 'deleted' | 'declared_elsewhere' | 'team_unknown' | 'expiry_in_past'>;

const fields = ['displayName', 'ownerTeamId', 'labels', 'expiresAt'] as const;

/** An expiry counts from commit on, and a later one revives. A change that changes nothing records nothing. */
export async function updateServiceAccount(
  deps: Omit<ServiceAccountDeps, 'random'>,
  input: UpdateServiceAccountInput,
): Promise<Result<ServiceAccount, Failure>> {
  const { organizationId, serviceAccountId: id, change } = input;
  const now = deps.clock.now();
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const existing = await deps.store.lock(tx, id);
    const refused = refuse(existing);
    if (existing === undefined || refused !== undefined)
      return fail(refused ?? { code: 'service_account.not_found' });
    const wanted = applyChange(existing, change);
    const changes = fields.filter((field) => !isDeepStrictEqual(wanted[field], existing[field]));
    if (changes.length === 0) return ok(existing);
    if (changes.includes('expiresAt') && wanted.expiresAt !== undefined && wanted.expiresAt <= now)
      return fail({ code: 'service_account.expiry_in_past' });
    if (wanted.ownerTeamId !== undefined && !(await deps.store.hasTeam(tx, wanted.ownerTeamId)))
      return fail({ code: 'service_account.team_unknown' });
    const updated = { ...wanted, updatedAt: now };
    await deps.store.update(tx, updated);
    await deps.events.record(tx, organizationId, {
      type: 'uos.service-account.updated.v1',
      subject: id,
      actor: input.actor,
      data: toEventData(updated, changes, input),
    });
    return ok(updated);
  });
}

/** Names of labels and displayed names are chosen freely, and may be about persons: of those it says that they changed. */
function toEventData(
  { name, ownerTeamId, expiresAt }: ServiceAccount,
  changes: (typeof fields)[number][],
  { reason }: UpdateServiceAccountInput,
) {
  return {
    name,
    changes,
    ...(changes.includes('ownerTeamId') ? { ownerTeamId: ownerTeamId ?? null } : {}),
    ...(changes.includes('expiresAt') ? { expiresAt: expiresAt?.toISOString() ?? null } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** What is declared elsewhere would be put back by the next reconciliation. */
function refuse(
  account: ServiceAccount | undefined,
): FailureOf<'deleted' | 'declared_elsewhere'> | undefined {
  if (account?.status === 'deleted') return { code: 'service_account.deleted' };
  if (account === undefined || account.managedBy === 'api') return undefined;
  return { code: 'service_account.declared_elsewhere', managedBy: account.managedBy };
}

function applyChange(account: ServiceAccount, change: ServiceAccountChange): ServiceAccount {
  const { displayName = account.displayName, labels = account.labels } = change;
  const { ownerTeamId = account.ownerTeamId, expiresAt = account.expiresAt } = change;
  return {
    ...account,
    displayName,
    labels,
    ownerTeamId: ownerTeamId ?? undefined,
    expiresAt: expiresAt ?? undefined,
  };
}
