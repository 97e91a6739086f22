import { loadavg } from 'node:os';
import { UsageError } from '../../knative/local/command-line.ts';
import type { Bench, BenchOptions, BenchResult } from './bench-result.ts';
import { type BenchScene, setBenchScene } from './bench-scene.ts';

export type BenchPart = (scene: BenchScene, options: BenchOptions) => Promise<BenchResult[]>;

/** A bench of named parts over one scene; `only` names some. `baseline`: what is measured when nothing is asked for. */
export function benchParts(parts: Readonly<Record<string, BenchPart>>, baseline = Object.keys(parts)): Bench {
  return async (options) => {
    const every = Object.keys(parts);
    const unknown = options.only?.find((name) => !every.includes(name));
    if (unknown !== undefined)
      throw new UsageError(`There is no part "${unknown}"; there are ${every.join(', ')}`);
    const wanted = options.only ?? (options.full || options.quick ? every : baseline);
    await using scene = await setBenchScene(options);
    // Of a machine that does other things the figures are those of both: above the number of cores they say little.
    const results: BenchResult[] = [
      { name: 'load average before', value: loadavg()[0] ?? Number.NaN, unit: 'processes' },
    ];
    for (const [name, measure] of Object.entries(parts)) {
      if (wanted.includes(name)) results.push(...(await measure(scene, options)));
    }
    return results;
  };
}
