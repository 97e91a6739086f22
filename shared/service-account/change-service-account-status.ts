import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { FailureOf } from './service-account-failure.ts';
import type { ServiceAccountId } from './service-account-id.ts';

export type ChangeServiceAccountStatusInput = {
  readonly organizationId: OrganizationId;
  readonly serviceAccountId: ServiceAccountId;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

type Deps = Omit<ServiceAccountDeps, 'random'>;
type Outcome = Promise<Result<ServiceAccount, FailureOf<'not_found' | 'deleted'>>>;

/** Refuses all its keys and tokens from commit on. Repeating it changes and records nothing. */
export function disableServiceAccount(deps: Deps, input: ChangeServiceAccountStatusInput): Outcome {
  return changeStatus(deps, input, 'disabled');
}

/** Lets its unrevoked keys work again, unless it has expired. Repeating it changes and records nothing. */
export function enableServiceAccount(deps: Deps, input: ChangeServiceAccountStatusInput): Outcome {
  return changeStatus(deps, input, 'active');
}

const eventOf = {
  active: 'uos.service-account.enabled.v1',
  disabled: 'uos.service-account.disabled.v1',
} as const;

async function changeStatus(
  deps: Deps,
  input: ChangeServiceAccountStatusInput,
  status: keyof typeof eventOf,
): Outcome {
  const { organizationId, serviceAccountId: id, reason } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const existing = await deps.store.lock(tx, id);
    if (existing === undefined) return fail({ code: 'service_account.not_found' });
    if (existing.status === 'deleted') return fail({ code: 'service_account.deleted' });
    if (existing.status === status) return ok(existing);
    const changed = { ...existing, status, updatedAt: deps.clock.now() };
    await deps.store.update(tx, changed);
    await deps.events.record(tx, organizationId, {
      type: eventOf[status],
      subject: id,
      actor: input.actor,
      data: { name: changed.name, ...(reason === undefined ? {} : { reason }) },
    });
    return ok(changed);
  });
}
