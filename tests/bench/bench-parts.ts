import { loadavg } from 'node:os';
import { UsageError } from '../../knative/local/command-line.ts';
import { type Bench, type BenchOptions, type BenchResult, toTable } from './bench-result.ts';
import { type BenchScene, setBenchScene } from './bench-scene.ts';

export type BenchPart = (scene: BenchScene, options: BenchOptions) => Promise<BenchResult[]>;

/** A bench of named parts over one scene; `only` names some. */
export function benchParts(parts: Readonly<Record<string, BenchPart>>): Bench {
  return async (options) => {
    const every = Object.keys(parts);
    const unknown = options.only?.find((name) => !every.includes(name));
    if (unknown !== undefined)
      throw new UsageError(`There is no part "${unknown}"; there are ${every.join(', ')}`);
    const wanted = options.only ?? every;
    await using scene = await setBenchScene(options);
    // Of a machine that does other things the figures are those of both: above the number of cores they say little.
    const results: BenchResult[] = [
      { name: 'load average before', value: loadavg()[0] ?? Number.NaN, unit: 'processes' },
    ];
    for (const [name, measure] of Object.entries(parts)) {
      if (!wanted.includes(name)) continue;
      const measured = await measure(scene, options);
      results.push(...measured);
      // The whole takes an hour: whoever ends it early has this much.
      options.progress(`${name}\n${toTable(measured)}`);
    }
    return results;
  };
}
