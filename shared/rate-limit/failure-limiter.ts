import type { Admission } from './rate-limiter.ts';

/**
 * Bounds how many attempts of one key fail, also of a thousand made at once: no more are under way than may still fail,
 * and the others wait for one of them to end. What succeeds costs nothing, however much of it there is.
 */
export type FailureLimiter = {
  begin(key: string): Promise<Admission>;
  /** Once for each attempt that was admitted. */
  end(key: string, hasFailed: boolean): void;
};

/** What all instances together have counted. It hears of failures alone, so that nothing it loses was anybody's. */
export type FailureLedger = {
  /** Whether one more failure would be within the limit. */
  ask(key: string): Admission | Promise<Admission>;
  /** Counts one, also beyond the limit, and answers what `ask` would now. */
  charge(key: string): Promise<Admission>;
};
