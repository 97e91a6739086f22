import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { ServiceAccountFailure } from './service-account-failure.ts';
import type { ServiceAccountId } from './service-account-id.ts';

export type ChangeServiceAccountStatusInput = {
  readonly organizationId: OrganizationId;
  readonly serviceAccountId: ServiceAccountId;
  readonly actor: Actor;
};

type Deps = Omit<ServiceAccountDeps, 'random'>;
type Outcome = Promise<Result<ServiceAccount, { readonly code: 'service_account.not_found' }>>;

/** Refuses all its keys and tokens from commit on. Repeating it changes and records nothing. */
export function disableServiceAccount(deps: Deps, input: ChangeServiceAccountStatusInput): Outcome {
  return changeStatus(deps, input, 'disabled');
}

/** Lets its unrevoked keys work again. Repeating it changes and records nothing. */
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
  status: ServiceAccount['status'],
): Promise<Result<ServiceAccount, Extract<ServiceAccountFailure, { code: 'service_account.not_found' }>>> {
  const id = input.serviceAccountId;
  return withOrg(deps.pool, input.organizationId, async (tx) => {
    const changed = await deps.store.setStatus(tx, { id, status, at: deps.clock.now() });
    if (changed === undefined) {
      const existing = await deps.store.find(tx, id);
      return existing === undefined ? fail({ code: 'service_account.not_found' }) : ok(existing);
    }
    await deps.events.record(tx, input.organizationId, {
      type: eventOf[status],
      subject: id,
      actor: input.actor,
      data: { name: changed.name },
    });
    return ok(changed);
  });
}
