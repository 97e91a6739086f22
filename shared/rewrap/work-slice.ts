import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../kernel/index.ts';

/** A bounded stretch of work that leaves room for others between its steps. */
export type WorkSlice = {
  isOver(): boolean;
  /** Does one step, then rests for as long as it took. */
  step<T>(work: () => Promise<T>): Promise<T>;
};

const restMsMax = 1_000;

/** Half of the time is rest: what runs beside it on the same database keeps at least that half. */
export function startWorkSlice(clock: Clock, seconds: number): WorkSlice {
  const endsAt = clock.now().getTime() + seconds * 1_000;
  return {
    isOver: () => clock.now().getTime() >= endsAt,
    step: async (work) => {
      const startedAt = clock.now().getTime();
      const result = await work();
      await pause(Math.min(clock.now().getTime() - startedAt, restMsMax));
      return result;
    },
  };
}
