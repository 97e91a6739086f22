import { secondsAfter } from '../kernel/index.ts';

/** RFC 7517, the public part alone. */
export type PublicJwk = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
};

/**
 * What a key may do follows from three instants and the clock, never from a state that a scheduled run must
 * change in time: published (shown, not used) until `activeFrom`, signing until a newer key is active, verifying
 * until `verifyUntil`. The newest key has no `verifyUntil`.
 */
export type SigningKey = {
  /** JWK thumbprint, RFC 7638. */
  readonly keyId: string;
  readonly algorithm: 'ES256';
  readonly publicJwk: PublicJwk;
  readonly publishedAt: Date;
  readonly activeFrom: Date;
  readonly verifyUntil: Date | undefined;
};

export type RotationPolicy = {
  /** Age at which the newest key gets a successor. */
  readonly intervalSeconds: number;
  /** From publication to first use: longer than any verifier may cache the key set. */
  readonly publishLeadSeconds: number;
  /** Longest life of a token: how long an old key verifies after its last signature. */
  readonly tokenTtlSecondsMax: number;
};

/** How far the clocks of our machines may be apart, and a key set behind, before a token is refused too early. */
export const clockSkewSecondsMax = 30;

/** The key that signs: of those whose time has come, the one whose time came last. */
export function activeKey(keys: readonly SigningKey[], now: Date): SigningKey | undefined {
  return verifyingKeys(keys, now)
    .filter((key) => key.activeFrom <= now)
    .sort(byActivation)
    .at(-1);
}

/** What the key set shows and what verifiers accept: every key that is not retired, the next one included. */
export function verifyingKeys(keys: readonly SigningKey[], now: Date): SigningKey[] {
  return keys.filter((key) => !isRetired(key, now));
}

export function isRetired(key: SigningKey, now: Date): boolean {
  return key.verifyUntil !== undefined && key.verifyUntil <= now;
}

/** The key that has no successor yet; undefined when there is no key at all. */
export function newestKey(keys: readonly SigningKey[]): SigningKey | undefined {
  return keys
    .filter((key) => key.verifyUntil === undefined)
    .sort(byActivation)
    .at(-1);
}

/**
 * When the key that is due now becomes active; undefined when none is due. The first key at once, since nobody can
 * have cached a set without it. While a successor waits for its time no further one is made, so that requests,
 * however many, cannot grow the set.
 */
export function dueActivation(
  keys: readonly SigningKey[],
  facts: { now: Date; requestedAt: Date | undefined; policy: RotationPolicy },
): Date | undefined {
  const { now, requestedAt, policy } = facts;
  const newest = newestKey(keys);
  if (newest === undefined) return now;
  if (newest.activeFrom > now) return undefined;
  const isOld = secondsAfter(newest.publishedAt, policy.intervalSeconds) <= now;
  const isRequested = requestedAt !== undefined && requestedAt > newest.publishedAt && requestedAt <= now;
  return isOld || isRequested ? secondsAfter(now, policy.publishLeadSeconds) : undefined;
}

/** Until when a key must verify whose successor is active from the given instant. */
export function verifyUntilAfter(successorActiveFrom: Date, policy: RotationPolicy): Date {
  return secondsAfter(successorActiveFrom, policy.tokenTtlSecondsMax + clockSkewSecondsMax);
}

function byActivation(a: SigningKey, b: SigningKey): number {
  return a.activeFrom.getTime() - b.activeFrom.getTime() || a.publishedAt.getTime() - b.publishedAt.getTime();
}
