import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { createFillRace, type RaceCount } from './fill-race.ts';
import { percentile } from './latency.ts';
import { createFactVictims, createKeyVictims, factChanges } from './revocation-victims.ts';
import { type HeldRight, timeToRefusal } from './time-to-refusal.ts';

const warmProcesses = 3;
const racedAtOnce = 50;
type NextVictim = () => HeldRight;

/**
 * Keys are revoked by the real use case, and rights taken away by changes of what they rest on, while warm processes
 * remember them: when does the last one refuse, and is anybody ever let in after? Credentials and facts are remembered
 * apart, so each is raced as often.
 */
export async function measureRevocation(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  // The small seed has too few keys for more.
  const [times, races] = options.quick ? [50, 500] : [1_000, 10_000];
  const keys = createKeyVictims(scene);
  const lasts = Math.ceil(races / racedAtOnce);
  options.progress('Making victims for the changes of facts');
  const nextOf = await createFactVictims(scene, factChanges.length * times + races + lasts);
  const kinds = new Map<string, NextVictim>([['revocation', keys]]);
  for (const change of factChanges) kinds.set(change, () => nextOf(change));

  const processes = await Promise.all(Array.from({ length: warmProcesses }, () => scene.startAuthorize()));
  const bases = processes.map(({ base }) => base);
  options.progress(`Taking away ${times} rights of each kind that ${warmProcesses} processes hold`);
  const delays = await measureDelays(bases, times, kinds);
  options.progress(`Taking away ${races} keys, and as many rights, while they are read for the first time`);
  let turn = 0;
  const anyFact = () => nextOf(factChanges[turn++ % factChanges.length] ?? 'binding removal');
  const ofKeys = createFillRace(bases, keys);
  const ofFacts = createFillRace(bases, anyFact);
  for (let left = races; left > 0; left -= racedAtOnce)
    for (const race of [ofKeys, ofFacts]) await race.run(Math.min(racedAtOnce, left));
  await Promise.all(processes.map((each) => each.stop()));
  return [
    ...[...delays].flatMap(([kind, sorted]) => toDelayResults(kind, sorted)),
    { name: 'revocations', value: times, unit: 'keys' },
    { name: 'changes of facts', value: factChanges.length * times, unit: 'rights' },
    ...toRaceResults('fill race', ofKeys.count()),
    ...toRaceResults('fill race of facts', ofFacts.count()),
  ];
}

/** One of each kind in turn, so that what else the machine does meets all alike. */
async function measureDelays(
  bases: readonly string[],
  times: number,
  kinds: ReadonlyMap<string, NextVictim>,
): Promise<Map<string, Float64Array>> {
  const delays = new Map([...kinds.keys()].map((kind) => [kind, new Float64Array(times)]));
  for (let n = 0; n < times; n++)
    for (const [kind, next] of kinds) delays.get(kind)?.set([await timeToRefusal(bases, next())], n);
  for (const each of delays.values()) each.sort();
  return delays;
}

function toDelayResults(kind: string, sorted: Float64Array): BenchResult[] {
  const name = (what: string) => `${kind} to refusal, ${what}`;
  return [
    { name: name('p50'), value: percentile(sorted, 50), unit: 'ms' },
    { name: name('p99'), value: percentile(sorted, 99), unit: 'ms', boundMax: 250 },
    { name: name('max'), value: percentile(sorted, 100), unit: 'ms', boundMax: 1_000 },
  ];
}

function toRaceResults(kind: string, { tries, stale, permitted }: RaceCount): BenchResult[] {
  return [
    { name: kind.replace('race', 'races'), value: tries, unit: 'tries' },
    { name: `stale answers after a ${kind}`, value: stale, unit: 'answers', boundMax: 0 },
    { name: `answered before the change in a ${kind}`, value: permitted, unit: 'answers' },
  ];
}
