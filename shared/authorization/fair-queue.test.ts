import { describe, expect, it } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

function queueOf(...tasks: readonly string[]) {
  const queue = createFairQueue<string>();
  for (const task of tasks) queue.add(ownerOf(task), task);
  return queue;
}
const ownerOf = (task: string) => task.slice(0, 1);
const drain = (queue: ReturnType<typeof queueOf>) => {
  const taken: string[] = [];
  for (let task = queue.take(); task !== undefined; task = queue.take()) taken.push(task);
  return taken;
};

describe('a fair queue', () => {
  it('gives the oldest of each owner in turn', () => {
    const queue = queueOf('a1', 'a2', 'a3', 'b1', 'c1', 'b2');
    expect(queue.size).toBe(6);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect([queue.size, queue.take()]).toEqual([0, undefined]);
  });

  it('lets whoever comes later wait for one task of another at most', () => {
    const queue = queueOf('a1', 'a2', 'a3');
    queue.take();
    queue.add('b', 'b1');
    expect(drain(queue).slice(0, 2)).toContain('b1');
  });

  it('puts back in front of the same owner’s, behind the turns of others', () => {
    const queue = queueOf('a1', 'a2', 'a3');
    const taken = [queue.take(), queue.take()];
    queue.add('b', 'b1');
    for (const task of taken.reverse()) queue.putBack('a', task ?? '');
    expect(queue.size).toBe(4);
    expect(drain(queue)).toEqual(['b1', 'a1', 'a2', 'a3']);
  });

  it('gives up what is asked for, and counts what is left', () => {
    const queue = queueOf('a1', 'a2', 'b1', 'b2', 'c1');
    expect(queue.takeWhile((task) => task.endsWith('1'))).toEqual(['a1', 'b1', 'c1']);
    expect([queue.size, queue.countOf('a'), queue.countOf('c')]).toEqual([2, 1, 0]);
    expect(queue.takeAllOf('a')).toEqual(['a2']);
    expect(drain(queue)).toEqual(['b2']);
  });
});
