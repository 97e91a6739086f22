import { performance } from 'node:perf_hooks';

/**
 * Begins `work` at a fixed rate, whether or not earlier work has ended, and measures each from the moment it was due
 * (no coordinated omission). Sorted milliseconds; rejects with the first failure.
 */
export async function runArrivals(options: {
  readonly rate: number;
  readonly seconds: number;
  work(count: number): Promise<void>;
}): Promise<Float64Array> {
  const total = Math.round(options.rate * options.seconds);
  const startedAt = performance.now();
  const ended: Promise<number>[] = [];
  for (let count = 0; count < total; count++) {
    const dueAt = startedAt + (count * 1000) / options.rate;
    const wait = dueAt - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const done = options.work(count).then(() => performance.now() - dueAt);
    // Heard of below, when all have begun.
    done.catch(() => undefined);
    ended.push(done);
  }
  return Float64Array.from(await Promise.all(ended)).sort();
}
