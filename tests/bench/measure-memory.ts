import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createQuestions, evaluationPath } from './authorize-questions.ts';
import { absent, type BenchOptions, type BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { measureManyPeak, missingForPeaks } from './load-tools.ts';
import { readProcessUsage } from './process-usage.ts';

const questionsCount = 20_000;
const rounds = 20;

/** Different questions by the million; what the process holds after the first tenth and at the end. */
export async function measureMemory(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const missing = missingForPeaks();
  if (missing !== undefined) return [absent('memory over millions of decisions', missing)];
  const decisionsWanted = options.quick ? 200_000 : 10_000_000;
  const authorize = await scene.startAuthorize();
  const next = createQuestions(scene.plans, 2);
  const file = join(scene.directory, 'questions.txt');
  const lines = Array.from({ length: questionsCount }, () => {
    const { headers, body } = next();
    return `${headers['authorization']} ${body}`;
  });
  await writeFile(file, lines.join('\n'));
  options.progress(`Asking ${decisionsWanted} questions`);
  let decisions = 0;
  let failed = 0;
  const resident: number[] = [];
  while (decisions < decisionsWanted) {
    const asked = await measureManyPeak(
      `${authorize.base}${evaluationPath}`,
      file,
      Math.ceil(decisionsWanted / rounds),
      scene.directory,
    );
    decisions += asked.requests - asked.failed;
    failed += asked.failed;
    if (failed > decisions) break;
    const usage = await readProcessUsage(authorize.pid);
    resident.push((usage?.residentBytes ?? Number.NaN) / 2 ** 20);
    options.progress(`  ${decisions} decisions, ${failed} refused: ${resident.at(-1)?.toFixed(0)} MiB`);
  }
  await authorize.stop();
  // The heap reaches its size early and then breathes: half of the rounds against the other half.
  const middle = Math.ceil(resident.length / 2);
  const [warm, end] = [Math.max(...resident.slice(1, middle)), Math.max(...resident.slice(middle))];
  return [
    {
      name: 'decisions while memory was watched',
      value: decisions,
      unit: 'decisions',
      boundMin: decisionsWanted,
    },
    { name: 'refused while memory was watched', value: failed, unit: 'requests', boundMax: 0 },
    { name: 'resident memory, first half', value: warm, unit: 'MiB' },
    { name: 'resident memory, second half', value: end, unit: 'MiB' },
    { name: 'growth of resident memory', value: end / warm, unit: 'times', boundMax: 1.1 },
  ];
}
