import { loadavg } from 'node:os';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import { type BenchScene, setBenchScene } from './bench-scene.ts';
import { measureMemory } from './measure-memory.ts';
import { measureOverload } from './measure-overload.ts';
import { measurePeers } from './measure-peers.ts';
import { measureRates } from './measure-rates.ts';
import { measureRevocation } from './measure-revocation.ts';

type Part = (scene: BenchScene, options: BenchOptions) => Promise<BenchResult[]>;

const parts: Readonly<Record<string, Part>> = {
  rates: measureRates,
  peers: measurePeers,
  overload: measureOverload,
  revocation: measureRevocation,
  memory: measureMemory,
};

/**
 * The decision point with everything on (caller proven, facts from PostgreSQL and cache, decisions recorded) beside its
 * database and the load generator on one machine. `only` names some of: rates, peers, overload, revocation, memory.
 */
export async function benchAuthorize(options: BenchOptions): Promise<readonly BenchResult[]> {
  const unknown = options.only?.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined)
    throw new Error(`There is no part "${unknown}"; there are ${Object.keys(parts).join(', ')}`);
  const every = Object.keys(parts);
  const wanted = options.only ?? (options.full || options.quick ? every : ['rates']);
  await using scene = await setBenchScene(options);
  // Of a machine that does other things the figures are those of both: above the number of cores they say little.
  const results: BenchResult[] = [
    { name: 'load average before', value: loadavg()[0] ?? Number.NaN, unit: 'processes' },
  ];
  for (const [name, measure] of Object.entries(parts)) {
    if (wanted.includes(name)) results.push(...(await measure(scene, options)));
  }
  return results;
}
