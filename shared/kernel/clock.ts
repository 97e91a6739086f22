/** The only source of the present. Injected, so that tests own time. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };

export function secondsAfter(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}

/** Seconds since the epoch, rounded down: the NumericDate of RFC 7519 section 2. */
export function toNumericDate(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
