import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const directory = join(import.meta.dirname, '../../.uos/bench');

/** Milliseconds, of a sorted array; nearest rank. */
export function percentile(sorted: Float64Array, percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(rank, 1) - 1] ?? Number.NaN;
}

/** Counts per bucket, each a tenth wider than the one before: enough to redraw any percentile within 10%. */
export async function keepHistogram(bench: string, about: object, sorted: Float64Array): Promise<string> {
  const buckets: { upToMs: number; count: number }[] = [];
  let upToMs = 0.1;
  let count = 0;
  for (const latency of sorted) {
    while (latency > upToMs) {
      if (count > 0) buckets.push({ upToMs: Number(upToMs.toFixed(4)), count });
      count = 0;
      upToMs *= 1.1;
    }
    count++;
  }
  if (count > 0) buckets.push({ upToMs: Number(upToMs.toFixed(4)), count });
  await mkdir(directory, { recursive: true });
  const file = join(directory, `${bench}.histogram.json`);
  await writeFile(file, `${JSON.stringify({ bench, ...about, buckets }, null, 2)}\n`);
  return file;
}
