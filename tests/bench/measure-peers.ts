import { invariant } from '../../shared/kernel/index.ts';
import { absent, type BenchOptions, type BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { percentile } from './latency.ts';
import {
  findVegeta,
  isAnsweredRight,
  type LoadTarget,
  measurePeak,
  missingForPeaks,
  pinToServerCore,
  runFixedRate,
} from './load-tools.ts';
import { findQuestion } from './peer-question.ts';
import { bareNode } from './peers/bare-node.ts';
import { cerbos } from './peers/cerbos.ts';
import { opa } from './peers/opa.ts';
import { openfga } from './peers/openfga.ts';

const peers = [bareNode, opa, openfga, cerbos];

/** One process of authorize and each peer in turn, alone on one core, answering one question with eight bindings. */
export async function measurePeers(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const missing = missingForPeaks();
  if (missing !== undefined) return [absent('throughput beside peers', missing)];
  const { question, target } = await findQuestion(scene);
  const seconds = options.quick ? 4 : 15;
  const ours = await scene.startAuthorize();
  await pinToServerCore(ours.pid);
  const peak = async (name: string, of: LoadTarget) => {
    invariant(await isAnsweredRight(of), `${name} does not answer the question right`);
    await measurePeak(of, seconds, scene.directory);
    const measured = await measurePeak(of, seconds, scene.directory);
    options.progress(
      `  ${name}: ${Math.round(measured.perSecond)}/s, p99 ${measured.p99Ms} ms, ${measured.failed} failed`,
    );
    return measured;
  };
  options.progress(`Measuring one process on one core beside its peers, ${seconds} s each`);
  const own = { ...target, base: ours.base };
  const results: BenchResult[] = [];
  for (const peer of peers) {
    const running = await peer.start(question);
    if (running === undefined) {
      results.push(absent(`throughput to ${peer.name}`, 'cannot be had on this machine'));
      continue;
    }
    // Right before and after, so that a machine whose speed changes favours nobody.
    const before = await peak('authorize', own);
    const theirs = await peak(peer.name, running.target);
    const after = await peak('authorize', own);
    const perSecond = (before.perSecond + after.perSecond) / 2;
    results.push(
      { name: `throughput beside ${peer.name}`, value: perSecond, unit: 'requests/s' },
      {
        name: `failures beside ${peer.name}`,
        value: before.failed + after.failed,
        unit: 'requests',
        boundMax: 0,
      },
      { name: `throughput of ${peer.name}`, value: theirs.perSecond, unit: 'requests/s' },
      {
        name: `throughput to ${peer.name}`,
        value: perSecond / theirs.perSecond,
        unit: 'times',
        boundMin: peer.timesMin,
      },
    );
    if (peer === opa)
      results.push(
        ...(await compareLatency(own, running.target, theirs.perSecond * 0.8, { scene, seconds })),
      );
    await running.stop();
  }
  await ours.stop();
  return results;
}

/** Both at the rate that is 80% of the peer's peak. */
async function compareLatency(
  own: LoadTarget,
  other: LoadTarget,
  perSecond: number,
  { scene, seconds }: { scene: BenchScene; seconds: number },
): Promise<BenchResult[]> {
  const vegeta = await findVegeta();
  if (vegeta === undefined)
    return [absent('p95 at 80% of the peak of OPA', 'vegeta cannot be had on this machine')];
  const load = { perSecond, seconds, directory: scene.directory };
  const p95 = async (target: LoadTarget) =>
    percentile((await runFixedRate(vegeta, target, load)).get(200) ?? new Float64Array(), 95);
  const [theirs, ours] = [await p95(other), await p95(own)];
  return [
    { name: `p95 at ${Math.round(perSecond)}/s`, value: ours, unit: 'ms', boundMax: theirs },
    { name: `p95 of OPA at ${Math.round(perSecond)}/s`, value: theirs, unit: 'ms' },
  ];
}
