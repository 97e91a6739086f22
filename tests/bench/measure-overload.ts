import { invariant } from '../../shared/kernel/index.ts';
import { absent, type BenchOptions, type BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { percentile } from './latency.ts';
import {
  findVegeta,
  isAnsweredRight,
  measurePeak,
  missingForPeaks,
  pinToServerCore,
  runFixedRate,
} from './load-tools.ts';
import { findQuestion } from './peer-question.ts';

const timesPeak = 3;
const itemsPerBatch = 50;

/**
 * Three times as much as one process on one core can decide. In batches: of single questions three times the peak is
 * more than Node can so much as read, and then it is the network that is full.
 */
export async function measureOverload(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const vegeta = await findVegeta();
  const missing = vegeta === undefined ? 'vegeta cannot be had on this machine' : missingForPeaks();
  if (vegeta === undefined || missing !== undefined) return [absent('overload', missing ?? '')];
  const authorize = await scene.startAuthorize();
  await pinToServerCore(authorize.pid);
  const { question, target } = await findQuestion(scene);
  const evaluations = Array.from({ length: itemsPerBatch }, (_, n) => ({ context: { item: n } }));
  const body = JSON.stringify({ ...question.request, evaluations });
  const isRight = (answer: string) => answer.match(/"decision":true/g)?.length === itemsPerBatch;
  const own = { ...target, base: authorize.base, path: '/access/v1/evaluations', body, isRight };
  invariant(await isAnsweredRight(own), 'authorize does not answer the question right');
  const seconds = options.quick ? 5 : 20;
  const peak = await measurePeak(own, seconds, scene.directory);
  invariant(peak.failed === 0, 'a peak of refusals is none');
  const perSecond = timesPeak * peak.perSecond;
  options.progress(
    `Asking ${Math.round(perSecond)} batches/s where ${Math.round(peak.perSecond)} can be decided`,
  );
  const outcome = await runFixedRate(vegeta, own, { perSecond, seconds, directory: scene.directory });
  await authorize.stop();
  const [served, shed] = [outcome.get(200), outcome.get(503)].map((each) => each ?? new Float64Array());
  const others = [...outcome].filter(([status]) => status !== 200 && status !== 503);
  return [
    { name: `peak of batches of ${itemsPerBatch}`, value: peak.perSecond, unit: 'requests/s' },
    { name: 'served under overload', value: (served?.length ?? 0) / seconds, unit: 'requests/s' },
    {
      name: 'p95 of what is served under overload',
      value: percentile(served ?? new Float64Array(), 95),
      unit: 'ms',
    },
    { name: 'shed under overload', value: shed?.length ?? 0, unit: 'requests', boundMin: 1 },
    ...[50, 95, 99, 100].map((percent) => ({
      name: `${percent === 100 ? 'max' : `p${percent}`} of a refusal under overload`,
      value: percentile(shed ?? new Float64Array(), percent),
      unit: 'ms',
      ...(percent === 95 ? { boundMax: 5 } : {}),
    })),
    {
      name: 'other answers under overload',
      value: others.reduce((sum, [, rows]) => sum + rows.length, 0),
      unit: 'requests',
      boundMax: 0,
    },
  ];
}
