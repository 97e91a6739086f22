import { type OrgTransaction, withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';
import type { ApiKeyFilter, ApiKeyStore } from './api-key-store.ts';
import { recordRevocation } from './revoke-api-key.ts';

export const revokedAtOnceMax = 200;

export type RevokeApiKeysInput = {
  readonly organizationId: OrganizationId;
  /** All of its criteria must hold; at least one is given. */
  readonly filter: ApiKeyFilter;
  readonly limit: number;
  readonly actor: Actor;
  readonly reason?: string | undefined;
};

/**
 * Revokes the oldest keys that the filter finds, each with its event, at most `limit` in one transaction. What is
 * revoked is not found again, so calling until `hasMore` is false revokes all, whatever cut a call short before.
 */
export async function revokeApiKeys(
  deps: Omit<ApiKeyDeps, 'pepper' | 'random'>,
  input: RevokeApiKeysInput,
): Promise<{ readonly revoked: readonly ApiKey[]; readonly hasMore: boolean }> {
  const { organizationId, filter, actor } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const limit = Math.min(input.limit, revokedAtOnceMax);
    const at = deps.clock.now();
    const revoked = await deps.store.revokeMany(tx, { filter, limit, by: actor.id, at });
    for (const key of revoked) await recordRevocation(deps.events, tx, key, input);
    return { revoked, hasMore: await deps.store.hasUnrevoked(tx, filter) };
  });
}

export type RevokeKeysOfInput = {
  readonly organizationId: OrganizationId;
  readonly owner: ApiKeyOwner;
  readonly actor: Actor;
  readonly reason: string;
};

/** Revokes every key of an owner who ends, each with its event, in the transaction in which the owner does. */
export async function revokeKeysOf(
  deps: Pick<ApiKeyDeps, 'events' | 'clock'> & { readonly store: Pick<ApiKeyStore, 'revokeMany'> },
  tx: OrgTransaction,
  input: RevokeKeysOfInput,
): Promise<void> {
  const { owner, actor } = input;
  const ending = { filter: { owner }, limit: revokedAtOnceMax, by: actor.id, at: deps.clock.now() };
  for (let hasMore = true; hasMore; ) {
    const revoked = await deps.store.revokeMany(tx, ending);
    for (const key of revoked) await recordRevocation(deps.events, tx, key, input);
    hasMore = revoked.length === ending.limit;
  }
}
