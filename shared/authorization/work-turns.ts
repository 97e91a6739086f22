import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../kernel/index.ts';

/** Resolves when whoever asks may go on working. */
export type WorkTurns = () => Promise<void>;

/**
 * Long work in slices. All who take turns from one source share the event loop: of them, one a round goes on, and
 * between two of them everything that has arrived is answered. So however many searches run, a single question waits
 * for one slice at most.
 */
export function createWorkTurns(): WorkTurns {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate());
    return last;
  };
}

const sliceMs = 1;
const sliceStepsMax = 16;

/** Counts the steps of one piece of work, and takes a turn when a slice is used up: a millisecond, or 16 steps. */
export function createSlices(deps: { readonly turns: WorkTurns; readonly clock: Clock }) {
  let started = deps.clock.now().getTime();
  let steps = 0;
  return async (): Promise<void> => {
    steps++;
    const elapsed = deps.clock.now().getTime() - started;
    if (steps < sliceStepsMax && elapsed >= 0 && elapsed < sliceMs) return;
    await deps.turns();
    started = deps.clock.now().getTime();
    steps = 0;
  };
}
