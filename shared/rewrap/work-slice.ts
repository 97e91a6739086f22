import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../kernel/index.ts';

/** A bounded stretch of work that leaves room for others between its steps. */
export type WorkSlice = {
  isOver(): boolean;
  /** Does one step; from time to time rests for as long as the steps since then took. */
  step<T>(work: () => Promise<T>): Promise<T>;
};

const restMsMin = 20;
const restMsMax = 1_000;

/** Half of the time is rest: what runs beside it on the same database keeps at least that half. */
export function startWorkSlice(clock: Clock, seconds: number): WorkSlice {
  const endsAt = clock.now().getTime() + seconds * 1_000;
  let owedMs = 0;
  return {
    isOver: () => clock.now().getTime() >= endsAt,
    step: async (work) => {
      const startedAt = clock.now().getTime();
      const result = await work();
      owedMs += clock.now().getTime() - startedAt;
      if (owedMs >= restMsMin) {
        await pause(Math.min(owedMs, restMsMax));
        owedMs = 0;
      }
      return result;
    },
  };
}
