import { fail } from '../../shared/kernel/index.ts';
import type { Answer } from './admit-caller.ts';

/** Runs work while there is room for it, and refuses at once when there is not. */
export type WorkSlots = (work: () => Promise<Answer>) => Promise<Answer>;

/**
 * For work that shares the event loop in slices: it never makes a turn long, it only ends later and later the more of
 * it there is. With so many at once, whoever is let in has its answer soon.
 */
export function createWorkSlots(workMax: number): WorkSlots {
  let running = 0;
  return async (work) => {
    if (running >= workMax) return fail({ code: 'service.overloaded' });
    running++;
    try {
      return await work();
    } finally {
      running--;
    }
  };
}
