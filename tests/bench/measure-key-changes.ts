import { runArrivals } from './arrivals.ts';
import { createQuestions } from './authorize-questions.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { type OfficeKey, openKeyOffice } from './key-office.ts';
import { percentile } from './latency.ts';
import { runOpenLoop } from './open-loop.ts';

const changesPerSecond = 20;
const questionsPerSecond = 167;
const warmUpSeconds = 15;

/** Keys are issued and revoked by turns over the admin function, while authorize answers its everyday load. */
export async function measureKeyChanges(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const [admin, authorize] = await Promise.all([scene.startAdmin(), scene.startAuthorize()]);
  const office = await openKeyOffice(scene, admin.base);
  const nextCall = createQuestions(scene.plans, 3);
  const seconds = options.seconds ?? (options.quick ? 10 : 60);
  const ask = (duration: number) =>
    runOpenLoop({ base: authorize.base, rate: questionsPerSecond, seconds: duration, nextCall });
  options.progress(`Issuing and revoking ${changesPerSecond} keys/s for ${seconds} s beside authorize`);
  // Before anything is measured: issued at once, they are a burst that nobody asked for.
  const stock = await Promise.all(Array.from({ length: changesPerSecond }, () => office.issue()));
  await Promise.all([ask(warmUpSeconds), changeKeys(office, stock, warmUpSeconds)]);
  const [asked, changed] = await Promise.all([ask(seconds), changeKeys(office, stock, seconds)]);
  await Promise.all([admin.stop(), authorize.stop()]);
  const at = `at ${changesPerSecond}/s beside authorize`;
  return [
    { name: `issue ${at}, p50`, value: percentile(changed.issued, 50), unit: 'ms' },
    { name: `issue ${at}, p95`, value: percentile(changed.issued, 95), unit: 'ms', boundMax: 50 },
    { name: `revoke ${at}, p50`, value: percentile(changed.revoked, 50), unit: 'ms' },
    { name: `revoke ${at}, p95`, value: percentile(changed.revoked, 95), unit: 'ms', boundMax: 50 },
    { name: 'authorize beside it, p95', value: percentile(asked.latencies, 95), unit: 'ms', boundMax: 5 },
    {
      name: 'errors and wrong answers beside it',
      value: asked.errors + asked.wrong,
      unit: 'requests',
      boundMax: 0,
    },
  ];
}

type Changes = { readonly issued: Float64Array; readonly revoked: Float64Array };

/** Half of the changes issue, half revoke what was issued two seconds before. */
async function changeKeys(
  office: Awaited<ReturnType<typeof openKeyOffice>>,
  stock: OfficeKey[],
  seconds: number,
): Promise<Changes> {
  const rate = changesPerSecond / 2;
  const [issued, revoked] = await Promise.all([
    runArrivals({ rate, seconds, work: async () => void stock.push(await office.issue()) }),
    runArrivals({
      rate,
      seconds,
      work: async () => {
        const key = stock.shift();
        if (key !== undefined) await office.revoke(key);
      },
    }),
  ]);
  return { issued, revoked };
}
