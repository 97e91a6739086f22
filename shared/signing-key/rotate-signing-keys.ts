import {
  type DatabasePool,
  type Lease,
  type OrgTransaction,
  releaseLease,
  takeLease,
  withOrg,
} from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { type Clock, fail, ok, type Random, type Result, typeId } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { SigningAlgorithm } from './jwk.ts';
import { type PublishSigningKeyDeps, publishSigningKey } from './publish-signing-key.ts';
import {
  correctedSuccessor,
  dueActivation,
  isRetired,
  newestKey,
  predecessorOf,
  type RotationPolicy,
  type SigningKey,
  verifyUntilAfter,
} from './signing-key.ts';
import type { RotationFailure } from './signing-key-failure.ts';

export type RotateSigningKeysDeps = PublishSigningKeyDeps & {
  readonly pool: DatabasePool;
  /** Names this run. What is due is asked of the database's clock, which all runs share. */
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: RotationPolicy;
};

export type Rotation = { readonly published: readonly SigningKey[]; readonly retired: readonly string[] };

const leaseName = 'key-rotation';
/** Far longer than a run takes; short enough that a killed holder does not hold a request up. */
const leaseSeconds = 15;
const runId = typeId('rot');
const actor: Actor = { type: 'system', id: 'key-rotation' };

/**
 * Does what is due, and nothing when nothing is: publishes the first or next key of each algorithm, retires those
 * whose last token has died. What is due is read from the database inside the transaction that does it, so calling
 * this twice, late, from two processes at once, or on a machine whose clock is wrong is harmless.
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
  await deps.store.lock(tx);
  const now = await deps.store.now(tx);
  const run: Run = { deps, tx, now, keys: await deps.store.list(tx) };
  const published: SigningKey[] = [];
  for (const algorithm of deps.policy.algorithms) {
    await correctSuccessor(run, algorithm);
    const key = await publishIfDue(run, algorithm);
    if (key !== undefined) published.push(key);
  }
  await endUnwanted(run);
  await closeAnsweredRequests(run, published);
  return ok({ published, retired: await retireExpired(run) });
}

/** One transaction's work, over the keys as it found them. */
type Run = {
  readonly deps: RotateSigningKeysDeps;
  readonly tx: OrgTransaction;
  readonly now: Date;
  readonly keys: readonly SigningKey[];
};

async function correctSuccessor({ deps, tx, now, keys }: Run, algorithm: SigningAlgorithm): Promise<void> {
  const corrected = correctedSuccessor(keys, { algorithm, now, policy: deps.policy });
  if (corrected === undefined) return;
  await deps.store.reschedule(tx, corrected);
  const predecessor = predecessorOf(keys, corrected);
  if (predecessor !== undefined) await supersede(deps, tx, predecessor, corrected.activeFrom);
}

async function publishIfDue(
  { deps, tx, now, keys }: Run,
  algorithm: SigningAlgorithm,
): Promise<SigningKey | undefined> {
  const requestedAt = await deps.store.findOpenRequestTime(tx);
  const activeFrom = dueActivation(keys, { algorithm, now, requestedAt, policy: deps.policy });
  if (activeFrom === undefined) return undefined;
  const predecessor = newestKey(keys, algorithm);
  if (predecessor !== undefined) await supersede(deps, tx, predecessor, activeFrom);
  return publishSigningKey(deps, tx, { algorithm, now, activeFrom, actor });
}

/** Of an algorithm that is no longer configured: no successor, so it ends as if one were active from now on. */
async function endUnwanted({ deps, tx, now, keys }: Run): Promise<void> {
  const unwanted = keys.filter(
    (key) => key.verifyUntil === undefined && !deps.policy.algorithms.includes(key.algorithm),
  );
  for (const key of unwanted) await supersede(deps, tx, key, now);
}

async function supersede(
  { store, policy }: RotateSigningKeysDeps,
  tx: OrgTransaction,
  { keyId }: SigningKey,
  successorActiveFrom: Date,
): Promise<void> {
  await store.supersede(tx, { keyId, verifyUntil: verifyUntilAfter(successorActiveFrom, policy) });
}

/** A request is answered when every algorithm has a key that is newer. */
async function closeAnsweredRequests({ deps, tx, now, keys }: Run, published: SigningKey[]): Promise<void> {
  const newest = deps.policy.algorithms.map((algorithm) => newestKey([...keys, ...published], algorithm));
  const times = newest.map((key) => key?.publishedAt.getTime() ?? 0);
  await deps.store.closeRequests(tx, { madeUntil: new Date(Math.min(...times)), at: now });
}

async function retireExpired({ deps, tx, now, keys }: Run): Promise<string[]> {
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
