/** What a caller may do: `rate` units a second over time, and at most `burst` of them at once. */
export type RateLimit = { readonly ratePerSecond: number; readonly burst: number };

export type Admission =
  | { readonly isAdmitted: true }
  /** `retryAfterSeconds`: whole seconds, at least one, after which the same would be admitted if nothing else came. */
  | { readonly isAdmitted: false; readonly retryAfterSeconds: number };

/**
 * Whether a caller may have `cost` units now, taken at once when it may and not at all when it may not. The contract,
 * for every implementation:
 * - Keys do not touch each other: one caller's excess never costs another its share.
 * - What is refused is not counted, so that whoever keeps knocking gets in as soon as one who waited.
 * - A cost above the burst is refused always; the caller of this splits its work.
 * - Memory or storage is bounded, and forgetting a caller only ever favours it.
 * - It answers within a few milliseconds. An implementation that asks another machine falls back to one that does not:
 *   neither an open door nor a closed one when that machine is away.
 */
export type RateLimiter = {
  take(key: string, cost?: number): Admission | Promise<Admission>;
  /**
   * Undoes a `take` that was admitted. Never gives more than a full burst, and never throws. It may be lost while another
   * machine is away: no limit may rest on it (for one on failures see `FailureLimiter`).
   */
  giveBack(key: string, cost?: number): void | Promise<void>;
};
