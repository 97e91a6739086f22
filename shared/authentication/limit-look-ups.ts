import { LRUCache } from 'lru-cache';
import { networkOf } from '../http/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { attemptFrom, type CallerLimits } from '../rate-limit/index.ts';
import type { CallerOrigin, TooManyFailures } from './principal.ts';

type LookUp<T> = { run(): Promise<T>; hasFailed(found: T): boolean };

/** Looks up what a credential proves, unless too many were wrong of late that came from the same network. */
export type LimitedLookUp = <T>(
  credential: { readonly digest: string; readonly from: CallerOrigin | undefined },
  lookUp: LookUp<T>,
) => Promise<Result<T, TooManyFailures>>;

const tooMany = 'Too many attempts from this address have failed';

/**
 * Services may share one address, so whoever floods from it must not shut the others out: a credential that was proven
 * here before is looked up again whatever its neighbours do, for as long as it holds.
 */
export function limitLookUps(
  limits: Pick<CallerLimits, 'failures'> | undefined,
  credentialsMax: number,
): LimitedLookUp {
  if (limits === undefined) return async (_credential, lookUp) => ok(await lookUp.run());
  const proven = new LRUCache<string, true>({ max: credentialsMax });
  const lookUpProven = async <T>(digest: string, lookUp: LookUp<T>): Promise<T> => {
    const found = await lookUp.run();
    if (lookUp.hasFailed(found)) proven.delete(digest);
    return found;
  };
  return async ({ digest, from }, lookUp) => {
    if (proven.has(digest)) return ok(await lookUpProven(digest, lookUp));
    const attempt = await attemptFrom(limits, networkOf(from?.address ?? ''), lookUp);
    if ('admission' in attempt) {
      const { retryAfterSeconds } = attempt.admission;
      return fail({ code: 'rate_limit.exceeded', retryAfterSeconds, detail: tooMany });
    }
    if (!lookUp.hasFailed(attempt.outcome)) proven.set(digest, true);
    return ok(attempt.outcome);
  };
}
