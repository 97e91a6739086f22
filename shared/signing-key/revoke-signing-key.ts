import { type DatabasePool, type OrgTransaction, withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result, secondsAfter } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { type PublishSigningKeyDeps, publishSigningKey } from './publish-signing-key.ts';
import { activeKey, clockSkewSecondsMax, predecessorOf, type SigningKey } from './signing-key.ts';
import type { UnknownSigningKey } from './signing-key-failure.ts';
import type { RevokedSigningKey } from './signing-key-store.ts';

export type RevokeSigningKeyDeps = PublishSigningKeyDeps & { readonly pool: DatabasePool };

type Revocation = { readonly keyId: string; readonly actor: Actor; readonly reason?: string };

/**
 * The emergency brake for a key that may have leaked. In one transaction: its private part is erased, it leaves the
 * key set, another key of its algorithm is active at once if it was the one that signs, and the event is recorded.
 * The commit notifies every warm instance, which from then on refuses its tokens, however long they had to live.
 * Repeating it changes nothing.
 */
export async function revokeSigningKey(
  deps: RevokeSigningKeyDeps,
  input: Revocation,
): Promise<Result<RevokedSigningKey, UnknownSigningKey>> {
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    await deps.store.lock(tx);
    const keys = await deps.store.list(tx);
    const key = keys.find(({ keyId }) => keyId === input.keyId);
    if (key === undefined) return requireRevoked(deps, tx, input.keyId);
    const revokedAt = await deps.store.now(tx);
    const revoked = { keyId: key.keyId, algorithm: key.algorithm, revokedAt };
    await deps.store.revoke(tx, { ...revoked, revokedBy: input.actor.id });
    const remaining = keys.filter((other) => other !== key);
    const wasActive = activeKey(keys, { algorithm: key.algorithm, now: revokedAt }) === key;
    const replacement = wasActive
      ? await activateReplacement(deps, tx, { key, remaining, now: revokedAt, actor: input.actor })
      : await reinstatePredecessor(deps, tx, { key, remaining });
    await recordRevocation(deps, tx, { key, replacement, ...input });
    return ok(revoked);
  });
}

async function requireRevoked(
  deps: RevokeSigningKeyDeps,
  tx: OrgTransaction,
  keyId: string,
): Promise<Result<RevokedSigningKey, UnknownSigningKey>> {
  const revoked = await deps.store.findRevoked(tx, keyId);
  return revoked === undefined ? fail({ code: 'signing_key.unknown' }) : ok(revoked);
}

/**
 * The published successor where there is one, since verifiers know it already; else a new key. Active from a little
 * ago, so that an issuer whose clock is behind signs with it at once and not with the one before the revoked.
 */
async function activateReplacement(
  deps: RevokeSigningKeyDeps,
  tx: OrgTransaction,
  input: { key: SigningKey; remaining: readonly SigningKey[]; now: Date; actor: Actor },
): Promise<SigningKey> {
  const { key, remaining, now, actor } = input;
  const { algorithm } = key;
  const withinSkew = secondsAfter(now, -clockSkewSecondsMax);
  const activeFrom = key.activeFrom > withinSkew ? key.activeFrom : withinSkew;
  const waiting = remaining.find((other) => other.algorithm === algorithm && other.activeFrom > now);
  if (waiting === undefined) return publishSigningKey(deps, tx, { algorithm, now, activeFrom, actor });
  const replacement = { ...waiting, activeFrom };
  await deps.store.reschedule(tx, replacement);
  return replacement;
}

/** Without its successor, the key that signs goes on until rotation has published another. */
async function reinstatePredecessor(
  deps: RevokeSigningKeyDeps,
  tx: OrgTransaction,
  { key, remaining }: { key: SigningKey; remaining: readonly SigningKey[] },
): Promise<undefined> {
  const predecessor = key.verifyUntil === undefined ? predecessorOf(remaining, key) : undefined;
  if (predecessor === undefined) return;
  await deps.store.supersede(tx, { keyId: predecessor.keyId, verifyUntil: undefined });
}

async function recordRevocation(
  deps: RevokeSigningKeyDeps,
  tx: OrgTransaction,
  { key, replacement, actor, reason }: Revocation & { key: SigningKey; replacement: SigningKey | undefined },
): Promise<void> {
  await deps.events.record(tx, platformOrganizationId, {
    type: 'uos.signing-key.revoked.v1',
    subject: key.keyId,
    actor,
    data: {
      algorithm: key.algorithm,
      ...(reason === undefined ? {} : { reason }),
      ...(replacement && { replacedBy: replacement.keyId }),
    },
  });
}
