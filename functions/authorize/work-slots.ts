import { createTransientMap, fail } from '../../shared/kernel/index.ts';
import type { Answer } from './admit-caller.ts';

/** Runs work while there is room for it and for its owner's, and refuses at once when there is not. */
export type WorkSlots = (work: () => Promise<Answer>, owner?: string) => Promise<Answer>;

/**
 * For work that shares the event loop in slices: it never makes a turn long, it only ends later and later the more of
 * it there is. With so many at once, whoever is let in has its answer soon. `ownMax` of one owner: the rest is for
 * others, whoever asks how much.
 */
export function createWorkSlots(workMax: number, ownMax = workMax): WorkSlots {
  const owners = createTransientMap<string, number>();
  let running = 0;
  function count(owner: string, change: 1 | -1): void {
    running += change;
    const own = (owners.get(owner) ?? 0) + change;
    if (own === 0) owners.delete(owner);
    else owners.set(owner, own);
  }
  return async (work, owner = '') => {
    const hasRoom = running < workMax && (owners.get(owner) ?? 0) < ownMax;
    if (!hasRoom) return fail({ code: 'service.overloaded' });
    count(owner, 1);
    try {
      return await work();
    } finally {
      count(owner, -1);
    }
  };
}
