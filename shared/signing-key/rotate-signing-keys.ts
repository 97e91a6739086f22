import {
  type DatabasePool,
  type Lease,
  type OrgTransaction,
  releaseLease,
  takeLease,
  withOrg,
} from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, fail, ok, type Random, type Result, typeId } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { KeyRing } from '../secret/index.ts';
import { createSigningKeyPair } from './create-signing-key.ts';
import {
  dueActivation,
  isRetired,
  newestKey,
  type RotationPolicy,
  type SigningKey,
  verifyUntilAfter,
} from './signing-key.ts';
import type { RotationFailure } from './signing-key-failure.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

export type RotateSigningKeysDeps = {
  readonly pool: DatabasePool;
  readonly store: SigningKeyStore;
  readonly events: EventRecorder;
  /** Of purpose `signing-key`. */
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: RotationPolicy;
};

export type Rotation = { readonly published: SigningKey | undefined; readonly retired: readonly string[] };

const leaseName = 'key-rotation';
/** Far longer than a run takes; short enough that a killed holder does not hold a request up. */
const leaseSeconds = 15;
const runId = typeId('rot');
const actor: Actor = { type: 'system', id: 'key-rotation' };

/**
 * Does what is due, and nothing when nothing is: publishes the first or next key, retires those whose last token has
 * died. What is due is read from the database inside the transaction that does it, so calling this twice, late, or
 * from two processes at once is harmless.
 */
export async function rotateSigningKeys(
  deps: RotateSigningKeysDeps,
): Promise<Result<Rotation, RotationFailure>> {
  const holder = runId.create(deps);
  const lease = await takeLease(deps.pool, { name: leaseName, holder, ttlSeconds: leaseSeconds });
  if (lease === undefined) return fail({ code: 'signing_key.rotation_busy' });
  try {
    return await withOrg(deps.pool, platformOrganizationId, (tx) => rotateUnderLease(deps, tx, lease));
  } finally {
    await releaseLease(deps.pool, lease);
  }
}

async function rotateUnderLease(
  deps: RotateSigningKeysDeps,
  tx: OrgTransaction,
  lease: Lease,
): Promise<Result<Rotation, RotationFailure>> {
  if (!(await deps.store.confirmLease(tx, lease))) return fail({ code: 'signing_key.rotation_busy' });
  const now = deps.clock.now();
  const keys = await deps.store.list(tx);
  const published = await publishIfDue(deps, tx, { keys, now });
  const newest = published ?? newestKey(keys);
  if (newest !== undefined) await deps.store.closeRequests(tx, { madeUntil: newest.publishedAt, at: now });
  const retired = await retireExpired(deps, tx, { keys, now });
  return ok({ published, retired });
}

async function publishIfDue(
  deps: RotateSigningKeysDeps,
  tx: OrgTransaction,
  { keys, now }: { keys: readonly SigningKey[]; now: Date },
): Promise<SigningKey | undefined> {
  const requestedAt = await deps.store.findOpenRequestTime(tx);
  const activeFrom = dueActivation(keys, { now, requestedAt, policy: deps.policy });
  if (activeFrom === undefined) return undefined;
  const { keyId, publicJwk, privateJwk } = createSigningKeyPair();
  const next: SigningKey = {
    keyId,
    algorithm: 'ES256',
    publicJwk,
    publishedAt: now,
    activeFrom,
    verifyUntil: undefined,
  };
  const predecessor = newestKey(keys);
  if (predecessor !== undefined) {
    await deps.store.supersede(tx, {
      keyId: predecessor.keyId,
      verifyUntil: verifyUntilAfter(activeFrom, deps.policy),
    });
  }
  await deps.store.add(tx, next, deps.ring.seal(JSON.stringify(privateJwk), keyId));
  await deps.events.record(tx, platformOrganizationId, {
    type: 'uos.signing-key.published.v1',
    subject: keyId,
    actor,
    data: { algorithm: next.algorithm, activeFrom: activeFrom.toISOString() },
  });
  return next;
}

async function retireExpired(
  deps: RotateSigningKeysDeps,
  tx: OrgTransaction,
  { keys, now }: { keys: readonly SigningKey[]; now: Date },
): Promise<string[]> {
  const retired: string[] = [];
  for (const key of keys.filter((candidate) => isRetired(candidate, now))) {
    if (!(await deps.store.retire(tx, key.keyId))) continue;
    await deps.events.record(tx, platformOrganizationId, {
      type: 'uos.signing-key.retired.v1',
      subject: key.keyId,
      actor,
      data: { algorithm: key.algorithm },
    });
    retired.push(key.keyId);
  }
  return retired;
}
