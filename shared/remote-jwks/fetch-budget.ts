import { LRUCache } from 'lru-cache';

/** Whether issuers may be asked for an organization now, in milliseconds of the clock; counted when they may. */
export type FetchBudget = (organizationId: string, now: number) => boolean;

const allMax = { count: 10, withinMs: 1_000 };
const ownMax = { count: 5, withinMs: 10_000 };
const organizationsMax = 10_000;

/**
 * Ten fetches a second for all together, of which no organization has more than five in ten seconds: it takes twenty
 * at once to keep the others waiting. Forgetting an organization favours it alone, within what all have.
 */
export function createFetchBudget(): FetchBudget {
  const all = createWindow(allMax);
  const own = new LRUCache<string, Window>({ max: organizationsMax });
  return (organizationId, now) => {
    const window = own.get(organizationId) ?? createWindow(ownMax);
    own.set(organizationId, window);
    if (!window.hasRoom(now) || !all.hasRoom(now)) return false;
    window.count(now);
    all.count(now);
    return true;
  };
}

type Window = { hasRoom(now: number): boolean; count(now: number): void };

function createWindow(max: { count: number; withinMs: number }): Window {
  let at = Number.NaN;
  let counted = 0;
  const move = (now: number) => {
    const current = Math.floor(now / max.withinMs);
    if (current !== at) counted = 0;
    at = current;
  };
  return {
    hasRoom: (now) => {
      move(now);
      return counted < max.count;
    },
    count: (now) => {
      move(now);
      counted += 1;
    },
  };
}
