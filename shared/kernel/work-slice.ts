import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** A bounded stretch of work that leaves room for others between its steps. */
export type WorkSlice = {
  isOver(): boolean;
  /** Does one step; from time to time rests three times as long as the steps since then took. */
  step<T>(work: () => Promise<T>): Promise<T>;
};

const restMsMin = 20;
const restMsMax = 1_000;

/** Three quarters of the time are rest: with half of it, who was answered beside it waited a millisecond longer. */
const restPerWork = 3;

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
        await pause(Math.min(owedMs * restPerWork, restMsMax));
        owedMs = 0;
      }
      return result;
    },
  };
}
