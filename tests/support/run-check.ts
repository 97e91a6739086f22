import { join } from 'node:path';
import { nodeStep, projectRoot, runStep, type Step, type StepResult, toLine } from './run-step.ts';

const modules = join(projectRoot, 'node_modules');

/** Each lane is a list run in order; the lanes run side by side. Two lanes, as there are two cores. */
const lanes: readonly (readonly Step[])[] = [
  [
    nodeStep('types', join(modules, 'typescript', 'bin', 'tsc'), '--noEmit', '--pretty', 'false'),
    nodeStep(
      'format and lint',
      join(modules, '@biomejs', 'biome', 'bin', 'biome'),
      'check',
      '--error-on-warnings',
      '.',
    ),
  ],
  [
    nodeStep(
      'unit and architecture tests',
      join(modules, 'vitest', 'vitest.mjs'),
      'run',
      '--project',
      'unit',
    ),
  ],
];

/** `npm run check`: the gate before each commit. Failures are shown whole, after all steps have run. */
async function main(): Promise<boolean> {
  const started = performance.now();
  const results = (await Promise.all(lanes.map(runLane))).flat();
  const failed = results.filter((result) => !result.isPassed);
  for (const { step, output } of failed) console.log(`\n--- ${step.name}\n${output}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const verdict =
    failed.length === 0 ? 'All checks passed' : `${failed.length} of ${results.length} checks failed`;
  console.log(`\n${verdict} in ${seconds} s`);
  return failed.length === 0;
}

async function runLane(steps: readonly Step[]): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const result = await runStep(step, 'kept');
    console.log(toLine(result));
    results.push(result);
  }
  return results;
}

process.exit((await main()) ? 0 : 1);
