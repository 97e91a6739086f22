import { expect, test } from 'vitest';
import { startWorkSlice } from './work-slice.ts';

/** A clock on which each step takes 100 ms, and which counts the rest as it passes. */
function steppingClock() {
  let now = 0;
  const work = async () => {
    now += 100;
  };
  return { clock: { now: () => new Date(now) }, work };
}

test('a slice is over when its time is, and a step is always finished', async () => {
  const { clock, work } = steppingClock();
  const slice = startWorkSlice(clock, 0.25);
  let steps = 0;
  for (; !slice.isOver(); steps++) await slice.step(work);
  expect(steps).toBe(3);
});

// What runs beside it on the same database keeps three quarters of the time.
test('a slice rests three times as long as it works', async () => {
  const { clock, work } = steppingClock();
  const slice = startWorkSlice(clock, 10);
  const startedAt = performance.now();
  for (let steps = 0; steps < 3; steps++) await slice.step(work);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(890);
});

test('a step that fails is the failure of its caller', async () => {
  const slice = startWorkSlice(steppingClock().clock, 10);
  await expect(slice.step(() => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
});
