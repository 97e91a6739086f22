import type { Decision } from './decision.ts';
import type { PolicyInput } from './policy-input.ts';

/**
 * The longest that a policy may let an answer be used again, whatever it says: for so long whoever keeps it does not see
 * that a right, or its own credential, was revoked.
 */
const cacheSecondsMax = 60;

/** Codes that say what is not known or not done yet, which the next moment may change. */
const codesNeverReused: ReadonlySet<string> = new Set(['error', 'step_up_required', 'unknown_subject']);

/** Whole seconds; 0 says what saying nothing says. */
export function isOptionalCacheSeconds(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

/**
 * The decision with the lifetime its policy stated, where it may have one: obligations are owed at each decision, and
 * a privileged one is owed its record each time.
 */
export function allowReuse(decision: Decision, seconds: number): Decision {
  const { code, obligations = [], isPrivileged = false } = decision;
  const isReusable = obligations.length === 0 && !isPrivileged && !codesNeverReused.has(code);
  return seconds > 0 && isReusable
    ? { ...decision, cacheSeconds: Math.min(seconds, cacheSecondsMax) }
    : decision;
}

/**
 * No longer than the facts it was made of: until the subject, or whichever of its bindings ends first, named or not. What
 * else may pass (an hour of the day, the age of a second factor) only the policy knows.
 */
export function endWithFacts(decision: Decision, { now, subject, bindings }: PolicyInput): Decision {
  const { cacheSeconds = 0, ...unkept } = decision;
  // `now` is rounded down: the moment of asking may be almost a second later, and a lifetime counts from there.
  const secondsUntil = (end = Number.POSITIVE_INFINITY) =>
    end > now ? end - now - 1 : Number.POSITIVE_INFINITY;
  const seconds = bindings.reduce(
    (least, { expires_at: end }) => Math.min(least, secondsUntil(end)),
    Math.min(cacheSeconds, secondsUntil(subject.expires_at)),
  );
  return seconds > 0 ? { ...unkept, cacheSeconds: seconds } : unkept;
}
