import type { DecisionCacheLimits } from './decision-cache.ts';
import type { BatchLimits } from './evaluations.ts';
import type { PepOptions } from './pep.ts';

export type PepLimits = {
  readonly timeoutMs: number;
  readonly batch: BatchLimits;
  readonly cache: DecisionCacheLimits | undefined;
};

/** The longest delay of a timer; a longer one would fire at once. */
const delayMsMax = 2_147_483_647;

/** A limit that cannot be meant (NaN, zero, a fraction of an item) is a fault of the program, told at its start. */
export function requireLimits({ timeoutMs = 1000, batch = {}, cache }: PepOptions): PepLimits {
  const { itemsMax = 100, bytesMax = 1_048_576 } = batch;
  requireWithin({ timeoutMs }, delayMsMax);
  requireWithin({ itemsMax, bytesMax }, Number.MAX_SAFE_INTEGER);
  if (cache !== undefined) {
    requireWithin({ entriesMax: cache.entriesMax, ttlMs: cache.ttlMs }, Number.MAX_SAFE_INTEGER);
  }
  return { timeoutMs, batch: { itemsMax, bytesMax }, cache };
}

function requireWithin(limits: Readonly<Record<string, number>>, max: number): void {
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isInteger(value) && value >= 1 && value <= max) continue;
    throw new RangeError(`"${name}" must be a whole number from 1 to ${max}, not ${value}`);
  }
}
