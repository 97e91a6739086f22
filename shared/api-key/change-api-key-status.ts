import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { FailureOf } from './api-key-failure.ts';
import type { ApiKeyId } from './api-key-id.ts';
import { toOwnerData } from './api-key-owner.ts';
import { fingerprintOf } from './api-key-text.ts';

export type ChangeApiKeyStatusInput = {
  readonly organizationId: OrganizationId;
  readonly keyId: ApiKeyId;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

type Deps = Omit<ApiKeyDeps, 'pepper' | 'random'>;
type Outcome = Promise<Result<ApiKey, FailureOf<'not_found' | 'not_active'>>>;

/** Refuses the key, and tokens issued for it, everywhere within a second, until it is enabled. */
export function disableApiKey(deps: Deps, input: ChangeApiKeyStatusInput): Outcome {
  return changeStatus(deps, input, 'disabled');
}

/** Lets a disabled key work again. A revoked one never does. */
export function enableApiKey(deps: Deps, input: ChangeApiKeyStatusInput): Outcome {
  return changeStatus(deps, input, 'active');
}

const eventOf = { active: 'uos.api-key.enabled.v1', disabled: 'uos.api-key.disabled.v1' } as const;

/** Repeating it changes and records nothing. */
async function changeStatus(
  deps: Deps,
  { organizationId, keyId, actor, reason }: ChangeApiKeyStatusInput,
  status: 'active' | 'disabled',
): Outcome {
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const change = { id: keyId, status, by: actor.id, at: deps.clock.now() };
    const changed = await deps.store.setStatus(tx, change);
    if (changed === undefined) {
      const existing = await deps.store.find(tx, keyId);
      if (existing === undefined) return fail({ code: 'api_key.not_found' });
      return existing.status === status
        ? ok(existing)
        : fail({ code: 'api_key.not_active', status: existing.status });
    }
    await deps.events.record(tx, organizationId, {
      type: eventOf[status],
      subject: keyId,
      actor,
      data: {
        fingerprint: fingerprintOf(keyId, changed.lastFour),
        ...toOwnerData(changed.owner),
        ...(reason === undefined ? {} : { reason }),
      },
    });
    return ok(changed);
  });
}
