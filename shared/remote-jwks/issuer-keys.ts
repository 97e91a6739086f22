import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Clock, ok, type Result } from '../kernel/index.ts';
import {
  type FetchedKeys,
  type FetchIssuerKeysDeps,
  fetchIssuerKeys,
  type IssuerKeysFailure,
  unavailable,
} from './fetch-issuer-keys.ts';

/** The keys of foreign issuers. `kid` is what a token names: a set without it may be old. */
export type IssuerKeys = {
  find(issuer: string, kid: string | undefined): Promise<Result<JWTVerifyGetKey, IssuerKeysFailure>>;
};

export type IssuerKeysDeps = FetchIssuerKeysDeps & { readonly clock: Clock };

const secondMs = 1_000;
const freshMs = { min: 300 * secondMs, byDefault: 600 * secondMs, max: 86_400 * secondMs };
/** How long a set that can no longer be fetched goes on being believed. */
const graceMs = 3_600 * secondMs;
/** Between attempts at one issuer: after a failure, and for a key that the set does not hold. */
const retryMs = 15 * secondMs;
const unknownKeyMs = 60 * secondMs;
const issuersMax = 500;
const fetchesPerSecondMax = 10;

type KeySet = {
  readonly getKey: JWTVerifyGetKey;
  readonly kids: ReadonlySet<string>;
  readonly until: number;
};
type Entry = {
  set?: KeySet;
  failure?: IssuerKeysFailure;
  attemptedAt?: number;
  pending?: Promise<void>;
};

/**
 * Remembers what it fetched, from 5 minutes to 24 hours as the issuer says. Whoever sends tokens chooses their `kid`,
 * and whoever writes rules chooses issuers: so one issuer is asked at most once a minute for a key it does not have,
 * failures are remembered, callers share a fetch, and all fetches together are at most ten a second.
 */
export function createIssuerKeys(deps: IssuerKeysDeps): IssuerKeys {
  const entries = new LRUCache<string, Entry>({ max: issuersMax });
  const admit = createAdmission(fetchesPerSecondMax);
  const refresh = async (entry: Entry, issuer: string, now: number) => {
    const fetched = admit(now) ? await fetchIssuerKeys(deps, issuer) : unavailable('too_many_fetches');
    if (fetched.ok) {
      entry.set = toKeySet(fetched.value, now);
      delete entry.failure;
    } else entry.failure = fetched.failure;
  };
  return {
    find: async (issuer, kid) => {
      const entry = entries.get(issuer) ?? {};
      entries.set(issuer, entry);
      const now = deps.clock.now().getTime();
      if (entry.pending === undefined && isDue(entry, kid, now)) {
        entry.attemptedAt = now;
        entry.pending = refresh(entry, issuer, now).finally(() => {
          delete entry.pending;
        });
      }
      if (!isGood(entry, kid, now)) await entry.pending;
      const { set, failure } = entry;
      if (set !== undefined && now < set.until + graceMs) return ok(set.getKey);
      return unavailable(failure?.reason ?? 'unreachable');
    },
  };
}

/** A set that is fresh and holds the key. A token without `kid` is content with any set. */
function isGood({ set }: Entry, kid: string | undefined, now: number): boolean {
  return set !== undefined && now < set.until && (kid === undefined || set.kids.has(kid));
}

function isDue(entry: Entry, kid: string | undefined, now: number): boolean {
  if (isGood(entry, kid, now)) return false;
  const isUnknownKey = entry.set !== undefined && now < entry.set.until;
  const pauseMs = isUnknownKey ? unknownKeyMs : retryMs;
  return entry.attemptedAt === undefined || now >= entry.attemptedAt + pauseMs;
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

function createAdmission(perSecondMax: number): (now: number) => boolean {
  let second = 0;
  let count = 0;
  return (now) => {
    const current = Math.floor(now / secondMs);
    if (current !== second) count = 0;
    second = current;
    count += 1;
    return count <= perSecondMax;
  };
}
