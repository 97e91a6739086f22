import { type OrgTransaction, withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { type ServiceAccount, toDeleted } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { FailureOf } from './service-account-failure.ts';
import type { ServiceAccountId } from './service-account-id.ts';
import type { RemovedGrants } from './service-account-store.ts';

export type DeleteServiceAccountInput = {
  readonly organizationId: OrganizationId;
  readonly serviceAccountId: ServiceAccountId;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

type Deps = Omit<ServiceAccountDeps, 'random'>;

/**
 * Ends an account for ever: all its keys, tokens and trust rules are refused from commit on, and its roles and
 * memberships of teams and groups are gone. Its id stays taken and readable; its name is free. Repeating it changes and records nothing.
 */
export async function deleteServiceAccount(
  deps: Deps,
  input: DeleteServiceAccountInput,
): Promise<Result<ServiceAccount, FailureOf<'not_found' | 'declared_elsewhere'>>> {
  const { organizationId, serviceAccountId: id, reason } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const existing = await deps.store.lock(tx, id);
    if (existing === undefined) return fail({ code: 'service_account.not_found' });
    if (existing.status === 'deleted') return ok(existing);
    const { managedBy, name } = existing;
    if (managedBy !== 'api') return fail({ code: 'service_account.declared_elsewhere', managedBy });
    const deleted = toDeleted(existing, deps.clock.now());
    await deps.store.update(tx, deleted);
    await recordGrants(deps, tx, input, await deps.store.removeGrants(tx, id));
    await deps.events.record(tx, organizationId, {
      type: 'uos.service-account.removed.v1',
      subject: id,
      actor: input.actor,
      data: { name, ...(reason === undefined ? {} : { reason }) },
    });
    return ok(deleted);
  });
}

async function recordGrants(
  { events }: Deps,
  tx: OrgTransaction,
  { organizationId, serviceAccountId, actor }: DeleteServiceAccountInput,
  { bindings, teams, groups }: RemovedGrants,
): Promise<void> {
  const subject = { subjectType: 'service_account', subjectId: serviceAccountId } as const;
  for (const { id, ...binding } of bindings) {
    await events.record(tx, organizationId, {
      type: 'uos.role-binding.removed.v1',
      subject: id,
      actor,
      data: { ...binding, ...subject },
    });
  }
  const member = { memberType: 'service_account', memberId: serviceAccountId } as const;
  for (const { id, name } of teams) {
    await events.record(tx, organizationId, {
      type: 'uos.team-member.removed.v1',
      subject: id,
      actor,
      data: { team: name, ...member },
    });
  }
  for (const { id, name } of groups) {
    await events.record(tx, organizationId, {
      type: 'uos.group-member.removed.v1',
      subject: id,
      actor,
      data: { group: name, ...member },
    });
  }
}
