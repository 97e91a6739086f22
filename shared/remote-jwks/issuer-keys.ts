import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Clock, ok, type Result } from '../kernel/index.ts';
import { createFetchBudget } from './fetch-budget.ts';
import {
  type FetchedKeys,
  type FetchIssuerKeysDeps,
  fetchIssuerKeys,
  type IssuerKeysFailure,
  unavailable,
} from './fetch-issuer-keys.ts';

/** What a token says of its keys, and the organization whose rule it is held against, which pays for the asking. */
export type IssuerKeysQuery = {
  readonly issuer: string;
  /** A set without it may be old. */
  readonly kid: string | undefined;
  readonly organizationId: string;
};

/** The keys of foreign issuers. */
export type IssuerKeys = {
  /** What is remembered and good: asks nobody. */
  held(query: Omit<IssuerKeysQuery, 'organizationId'>): JWTVerifyGetKey | undefined;
  /** What is remembered and due to be fetched again, but still to be believed if it cannot be: asks nobody. */
  believed(issuer: string): JWTVerifyGetKey | undefined;
  find(query: IssuerKeysQuery): Promise<Result<JWTVerifyGetKey, IssuerKeysFailure>>;
};

export type IssuerKeysDeps = FetchIssuerKeysDeps & { readonly clock: Clock };

const secondMs = 1_000;
const freshMs = { min: 300 * secondMs, byDefault: 600 * secondMs, max: 86_400 * secondMs };
/** How long a set that can no longer be fetched goes on being believed. */
const graceMs = 3_600 * secondMs;
/** Between attempts at one issuer: after a failure, and for a key that the set does not hold. */
const retryMs = 15 * secondMs;
const unknownKeyMs = 60 * secondMs;
const setsMax = 500;
const attemptsMax = 5_000;

type KeySet = {
  readonly getKey: JWTVerifyGetKey;
  readonly kids: ReadonlySet<string>;
  readonly until: number;
};
/** The last time an issuer was asked, and what came of it unless it was a key set. */
type Attempt = { readonly at: number; failure?: IssuerKeysFailure; pending?: Promise<void> };

/**
 * Remembers what it fetched, from 5 minutes to 24 hours as the issuer says. Whoever sends tokens chooses their `kid`,
 * and whoever writes rules chooses issuers: so one issuer is asked at most once a minute for a key it does not have,
 * failures are remembered apart from key sets, so that they displace none, callers share a fetch, and each
 * organization has a budget of its own (fetch-budget.ts).
 */
export function createIssuerKeys(deps: IssuerKeysDeps): IssuerKeys {
  const sets = new LRUCache<string, KeySet>({ max: setsMax });
  const attempts = new LRUCache<string, Attempt>({ max: attemptsMax });
  const admit = createFetchBudget();
  const nowMs = () => deps.clock.now().getTime();

  function begin(issuer: string, now: number): Attempt {
    const attempt: Attempt = { at: now };
    attempt.pending = fetchIssuerKeys(deps, issuer)
      .then((fetched) => {
        if (fetched.ok) sets.set(issuer, toKeySet(fetched.value, now));
        else attempt.failure = fetched.failure;
      })
      .finally(() => {
        delete attempt.pending;
      });
    attempts.set(issuer, attempt);
    return attempt;
  }
  return {
    held: ({ issuer, kid }) => {
      const set = sets.get(issuer);
      return isGood(set, kid, nowMs()) ? set?.getKey : undefined;
    },
    believed: (issuer) => {
      const set = sets.get(issuer);
      return isBelieved(set, nowMs()) ? set?.getKey : undefined;
    },
    find: async ({ issuer, kid, organizationId }) => {
      const now = nowMs();
      const before = sets.get(issuer);
      if (before !== undefined && isGood(before, kid, now)) return ok(before.getKey);
      let attempt = attempts.get(issuer);
      if (isDue(attempt, before, now)) {
        // An attempt that is not made is not remembered: the issuer is asked as soon as there is room.
        if (admit(organizationId, now)) attempt = begin(issuer, now);
        else if (!isBelieved(before, now)) return unavailable('too_many_fetches');
      }
      await attempt?.pending;
      const set = sets.get(issuer);
      if (set !== undefined && isBelieved(set, now)) return ok(set.getKey);
      return unavailable(attempt?.failure?.reason ?? 'unreachable');
    },
  };
}

/** A set that is fresh and holds the key. A token without `kid` is content with any set. */
function isGood(set: KeySet | undefined, kid: string | undefined, now: number): boolean {
  return set !== undefined && now < set.until && (kid === undefined || set.kids.has(kid));
}

function isBelieved(set: KeySet | undefined, now: number): boolean {
  return set !== undefined && now < set.until + graceMs;
}

function isDue(attempt: Attempt | undefined, set: KeySet | undefined, now: number): boolean {
  if (attempt === undefined) return true;
  const isUnknownKey = set !== undefined && now < set.until;
  return attempt.pending === undefined && now >= attempt.at + (isUnknownKey ? unknownKeyMs : retryMs);
}

function toKeySet({ jwks, maxAgeSeconds }: FetchedKeys, now: number): KeySet {
  const { min, byDefault, max } = freshMs;
  const askedMs = maxAgeSeconds === undefined ? byDefault : maxAgeSeconds * secondMs;
  return {
    getKey: createLocalJWKSet(jwks),
    kids: new Set(jwks.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid]))),
    until: now + Math.min(Math.max(askedMs, min), max),
  };
}
