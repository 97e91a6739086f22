import type { FailureLimiter } from './failure-limiter.ts';
import type { Admission, RateLimiter } from './rate-limiter.ts';

/** The limits of a function that anybody can reach. */
export type CallerLimits = {
  /** By network, see `networkOf`: failed attempts. Before who it is costs a look-up. */
  readonly failures: FailureLimiter;
  /** By API key id: all that one key does. */
  readonly keys: RateLimiter;
  /** By organization and principal: all that one caller does, with all its keys. */
  readonly callers: RateLimiter;
};

/** Who has proven to be calling. `keyId` is absent where no API key stands behind the credential. */
export type ProvenCaller = { readonly callerId: string; readonly keyId: string | undefined };

/**
 * Only for who is proven: a limit by a name that anybody can give would let anybody shut its owner out. The narrower
 * one first, so that one key that runs wild does not take what is its caller's other keys'.
 */
export async function admitProven(
  { keys, callers }: Pick<CallerLimits, 'keys' | 'callers'>,
  { callerId, keyId }: ProvenCaller,
): Promise<Admission> {
  const ofKey = keyId === undefined ? undefined : await keys.take(keyId);
  if (ofKey?.isAdmitted === false) return ofKey;
  const ofCaller = await callers.take(callerId);
  if (!ofCaller.isAdmitted && keyId !== undefined) void keys.giveBack(keyId);
  return ofCaller;
}

/**
 * Runs an attempt to authenticate, if the network it comes from has not failed too often. What succeeds, and what fails
 * because of us, counts for nothing; many at once wait for each other rather than be refused.
 */
export async function attemptFrom<T>(
  { failures }: Pick<CallerLimits, 'failures'>,
  network: string,
  attempt: { run(): Promise<T>; hasFailed(outcome: T): boolean },
): Promise<{ admission: Admission & { isAdmitted: false } } | { outcome: T }> {
  const admission = await failures.begin(network);
  if (!admission.isAdmitted) return { admission };
  let hasFailed = false;
  try {
    const outcome = await attempt.run();
    hasFailed = attempt.hasFailed(outcome);
    return { outcome };
  } finally {
    failures.end(network, hasFailed);
  }
}
