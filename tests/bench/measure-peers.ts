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
  type PeakLoad,
  pinToServerCore,
  runFixedRate,
} from './load-tools.ts';
import { findQuestion } from './peer-question.ts';
import { bareNode } from './peers/bare-node.ts';
import { cerbos } from './peers/cerbos.ts';
import { opa } from './peers/opa.ts';
import { openfga } from './peers/openfga.ts';
import type { Peer } from './peers/peer.ts';
import { readProcessUsage } from './process-usage.ts';

// The nearest last: by then the compiler of our own process has seen enough.
const peers = [opa, openfga, cerbos, bareNode];

type Server = { readonly name: string; readonly pid: number; readonly target: LoadTarget };
type Peak = PeakLoad & { readonly cpuMicros: number };

/** One process of authorize and each peer in turn, alone on one core, answering one question with eight bindings. */
export async function measurePeers(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const missing = missingForPeaks();
  if (missing !== undefined) return [absent('throughput beside peers', missing)];
  const { question, target } = await findQuestion(scene);
  const authorize = await scene.startAuthorize();
  await pinToServerCore(authorize.pid);
  const own = { name: 'authorize', pid: authorize.pid, target: { ...target, base: authorize.base } };
  const results: BenchResult[] = [];
  for (const peer of peers) {
    const running = await peer.start(question);
    if (running === undefined) {
      results.push(absent(`throughput to ${peer.name}`, 'cannot be had on this machine'));
      continue;
    }
    results.push(...(await compare(own, { ...peer, ...running }, { scene, options })));
    await running.stop();
  }
  await authorize.stop();
  return results;
}

type Surroundings = { readonly scene: BenchScene; readonly options: BenchOptions };

/** Ours right before and after, so that a machine whose speed changes favours nobody. */
async function compare(own: Server, peer: Server & Peer, around: Surroundings): Promise<BenchResult[]> {
  const { name } = peer;
  const before = await measureServer(own, around);
  const theirs = await measureServer(peer, around);
  const after = await measureServer(own, around);
  const perSecond = (before.perSecond + after.perSecond) / 2;
  const failed = before.failed + after.failed;
  const cpuMicros = (before.cpuMicros + after.cpuMicros) / 2;
  return [
    { name: `throughput beside ${name}`, value: perSecond, unit: 'requests/s' },
    { name: `failures beside ${name}`, value: failed, unit: 'requests', boundMax: 0 },
    { name: `throughput of ${name}`, value: theirs.perSecond, unit: 'requests/s' },
    {
      name: `throughput to ${name}`,
      value: perSecond / theirs.perSecond,
      unit: 'times',
      boundMin: peer.timesMin,
    },
    // On a machine that does other things too, what each costs says more than how often it got its turn.
    { name: `CPU per request beside ${name}`, value: cpuMicros, unit: 'us' },
    { name: `CPU per request of ${name}`, value: theirs.cpuMicros, unit: 'us' },
    { name: `CPU of ${name} to ours`, value: theirs.cpuMicros / cpuMicros, unit: 'times' },
    ...(name === opa.name
      ? await compareLatency(own.target, peer.target, theirs.perSecond * 0.8, around)
      : []),
  ];
}

async function measureServer(server: Server, { scene, options }: Surroundings): Promise<Peak> {
  const { name, pid, target } = server;
  invariant(await isAnsweredRight(target), `${name} does not answer the question right`);
  await measurePeak(target, secondsOf(options), scene.directory);
  const before = await readProcessUsage(pid);
  const peak = await measurePeak(target, secondsOf(options), scene.directory);
  const after = await readProcessUsage(pid);
  const cpuMs = (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? Number.NaN);
  const { perSecond, p99Ms, failed } = peak;
  options.progress(`  ${name}: ${Math.round(perSecond)}/s, p99 ${p99Ms} ms, ${failed} failed`);
  return { ...peak, cpuMicros: (cpuMs * 1000) / (perSecond * secondsOf(options)) };
}

function secondsOf({ quick }: BenchOptions): number {
  return quick ? 4 : 15;
}

/** Both at the rate that is 80% of the peer's peak. */
async function compareLatency(
  own: LoadTarget,
  other: LoadTarget,
  perSecond: number,
  { scene, options }: Surroundings,
): Promise<BenchResult[]> {
  const vegeta = await findVegeta();
  if (vegeta === undefined)
    return [absent('p95 at 80% of the peak of OPA', 'vegeta cannot be had on this machine')];
  const load = { perSecond, seconds: secondsOf(options), directory: scene.directory };
  const p95 = async (target: LoadTarget) =>
    percentile((await runFixedRate(vegeta, target, load)).get(200) ?? new Float64Array(), 95);
  const [theirs, ours] = [await p95(other), await p95(own)];
  return [
    { name: `p95 at ${Math.round(perSecond)}/s`, value: ours, unit: 'ms', boundMax: theirs },
    { name: `p95 of OPA at ${Math.round(perSecond)}/s`, value: theirs, unit: 'ms' },
  ];
}
