import { type OrgTransaction, withOrgChange } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { FailureOf } from './api-key-failure.ts';
import type { ApiKeyId } from './api-key-id.ts';
import { toOwnerData } from './api-key-owner.ts';
import { fingerprintOf } from './api-key-text.ts';

export type RevokeApiKeyInput = {
  readonly organizationId: OrganizationId;
  readonly keyId: ApiKeyId;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

/**
 * Revokes a key. Every warm instance hears of it in the same transaction (trigger on `api_key`). Repeating it
 * changes nothing and records nothing: the first revocation stands.
 */
export async function revokeApiKey(
  deps: Omit<ApiKeyDeps, 'pepper' | 'random'>,
  input: RevokeApiKeyInput,
): Promise<Result<ApiKey, FailureOf<'not_found'>>> {
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    const revoked = await deps.store.revoke(tx, {
      id: input.keyId,
      by: input.actor.id,
      at: deps.clock.now(),
    });
    if (revoked === undefined) {
      const existing = await deps.store.find(tx, input.keyId);
      return existing === undefined ? fail({ code: 'api_key.not_found' }) : ok(existing);
    }
    await recordRevocation(deps.events, tx, revoked, input);
    return ok(revoked);
  });
}

export async function recordRevocation(
  events: EventRecorder,
  tx: OrgTransaction,
  { organizationId, id, lastFour, owner }: ApiKey,
  { actor, reason }: Pick<RevokeApiKeyInput, 'actor' | 'reason'>,
): Promise<void> {
  await events.record(tx, organizationId, {
    type: 'uos.api-key.revoked.v1',
    subject: id,
    actor,
    data: {
      fingerprint: fingerprintOf(id, lastFour),
      ...toOwnerData(owner),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}
