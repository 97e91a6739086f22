import { secondsAfter } from '../kernel/index.ts';
import type { PublicJwk, SigningAlgorithm } from './jwk.ts';

/**
 * What a key may do follows from three instants and the clock, never from a state that a scheduled run must
 * change in time: published (shown, not used) until `activeFrom`, signing until a newer key of its algorithm is
 * active, verifying until `verifyUntil`. The newest key of an algorithm has no `verifyUntil`.
 */
export type SigningKey = {
  /** JWK thumbprint, RFC 7638. */
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: PublicJwk;
  readonly publishedAt: Date;
  readonly activeFrom: Date;
  readonly verifyUntil: Date | undefined;
};

export type RotationPolicy = {
  /**
   * Kept side by side, each with an active key, so that which of them signs is a setting of the issuer that takes
   * effect at once: verifiers have known both for long.
   */
  readonly algorithms: readonly SigningAlgorithm[];
  /** Age at which the newest key of an algorithm gets a successor. */
  readonly intervalSeconds: number;
  /** From publication to first use: longer than any verifier may cache the key set. */
  readonly publishLeadSeconds: number;
  /** Longest life of a token: how long an old key verifies after its last signature, with skew and cache on top. */
  readonly tokenTtlSecondsMax: number;
  /** How long a verifier may keep the key set. */
  readonly jwksMaxAgeSeconds: number;
};

/** How far the clocks of our machines may be apart, and a key set behind, before a token is refused too early. */
export const clockSkewSecondsMax = 30;

/** The key that signs: of those of the algorithm whose time has come, the one whose time came last. */
export function activeKey<Key extends SigningKey>(
  keys: readonly Key[],
  { algorithm, now }: { algorithm: SigningAlgorithm; now: Date },
): Key | undefined {
  return verifyingKeys(keys, now)
    .filter((key) => key.algorithm === algorithm && key.activeFrom <= now)
    .sort(byActivation)
    .at(-1);
}

/** What the key set shows and what verifiers accept: every key that is not retired, the next ones included. */
export function verifyingKeys<Key extends SigningKey>(keys: readonly Key[], now: Date): Key[] {
  return keys.filter((key) => !isRetired(key, now));
}

export function isRetired(key: SigningKey, now: Date): boolean {
  return key.verifyUntil !== undefined && key.verifyUntil <= now;
}

/** The key of the algorithm that has no successor yet; undefined when there is none at all. */
export function newestKey(keys: readonly SigningKey[], algorithm: SigningAlgorithm): SigningKey | undefined {
  return keys
    .filter((key) => key.algorithm === algorithm && key.verifyUntil === undefined)
    .sort(byActivation)
    .at(-1);
}

type RotationFacts = {
  readonly algorithm: SigningAlgorithm;
  readonly now: Date;
  readonly policy: RotationPolicy;
};

/**
 * When the key that is due now becomes active; undefined when none is due. The first keys of a deployment at once,
 * since nobody can have cached a set without them. While a successor waits for its time no further one is made, so
 * that requests, however many, cannot grow the set.
 */
export function dueActivation(
  keys: readonly SigningKey[],
  { algorithm, now, policy, requestedAt }: RotationFacts & { readonly requestedAt: Date | undefined },
): Date | undefined {
  const newest = newestKey(keys, algorithm);
  const afterLead = secondsAfter(now, policy.publishLeadSeconds);
  if (newest === undefined) return verifyingKeys(keys, now).length === 0 ? now : afterLead;
  if (newest.activeFrom > now) return undefined;
  const isOld = secondsAfter(newest.publishedAt, policy.intervalSeconds) <= now;
  const isRequested = requestedAt !== undefined && requestedAt > newest.publishedAt && requestedAt <= now;
  return isOld || isRequested ? afterLead : undefined;
}

/**
 * The newest key as it should be when it waits for longer than the lead: it was published under a clock that ran
 * ahead, and would keep its predecessor signing, and every rotation waiting, until that time comes.
 */
export function correctedSuccessor(
  keys: readonly SigningKey[],
  { algorithm, now, policy }: RotationFacts,
): SigningKey | undefined {
  const newest = newestKey(keys, algorithm);
  const afterLead = secondsAfter(now, policy.publishLeadSeconds);
  if (newest === undefined || newest.activeFrom <= secondsAfter(afterLead, clockSkewSecondsMax)) return;
  const isAnotherActive = activeKey(keys, { algorithm, now }) !== undefined;
  return { ...newest, publishedAt: now, activeFrom: isAnotherActive ? afterLead : now };
}

/** Of the other keys of its algorithm, the one that signs until this one does. */
export function predecessorOf(keys: readonly SigningKey[], key: SigningKey): SigningKey | undefined {
  return keys
    .filter(({ algorithm, keyId }) => algorithm === key.algorithm && keyId !== key.keyId)
    .sort(byActivation)
    .at(-1);
}

/**
 * Until when a key must verify whose successor is active from the given instant: the last token, the clocks, and one
 * life of a cached key set, so that no cache meets a token whose key the set has already dropped.
 */
export function verifyUntilAfter(successorActiveFrom: Date, policy: RotationPolicy): Date {
  const { tokenTtlSecondsMax, jwksMaxAgeSeconds } = policy;
  return secondsAfter(successorActiveFrom, tokenTtlSecondsMax + clockSkewSecondsMax + jwksMaxAgeSeconds);
}

function byActivation(a: SigningKey, b: SigningKey): number {
  return a.activeFrom.getTime() - b.activeFrom.getTime() || a.publishedAt.getTime() - b.publishedAt.getTime();
}
