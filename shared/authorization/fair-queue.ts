import { createTransientMap } from '../kernel/index.ts';

/** Tasks of many owners: the oldest of each owner in turn, so that who has many waits for itself alone. */
export type FairQueue<T> = {
  readonly size: number;
  countOf(owner: string): number;
  add(owner: string, task: T): void;
  /** What was taken and could not be done: first of its owner's again, and its owner last in turn. */
  putBack(owner: string, task: T): void;
  take(): T | undefined;
  /** All of this owner. */
  takeAllOf(owner: string): readonly T[];
  /** From the front of each owner's, for as long as it holds. */
  takeWhile(isTaken: (task: T) => boolean): readonly T[];
};

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order of their turns; none is empty. */
  const owners = createTransientMap<string, T[]>();
  let size = 0;
  function keep(owner: string, tasks: T[]): void {
    owners.delete(owner);
    if (tasks.length > 0) owners.set(owner, tasks);
  }
  function takeFrom(owner: string, count: number): readonly T[] {
    const tasks = owners.get(owner) ?? [];
    const taken = tasks.splice(0, count);
    size -= taken.length;
    if (tasks.length === 0) owners.delete(owner);
    return taken;
  }
  return {
    get size() {
      return size;
    },
    countOf: (owner) => owners.get(owner)?.length ?? 0,
    add: (owner, task) => {
      size++;
      const tasks = owners.get(owner);
      if (tasks === undefined) owners.set(owner, [task]);
      else tasks.push(task);
    },
    putBack: (owner, task) => {
      size++;
      keep(owner, [task, ...(owners.get(owner) ?? [])]);
    },
    take: () => {
      const [next] = owners;
      if (next === undefined) return undefined;
      const [owner, tasks] = next;
      const task = tasks.shift();
      size--;
      keep(owner, tasks);
      return task;
    },
    takeAllOf: (owner) => takeFrom(owner, size),
    takeWhile: (isTaken) =>
      [...owners].flatMap(([owner, tasks]) => {
        const rest = tasks.findIndex((task) => !isTaken(task));
        return takeFrom(owner, rest === -1 ? tasks.length : rest);
      }),
  };
}
