import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startVitest, type TestCase, type TestModule } from 'vitest/node';
import { ensureDebianPackages } from './debian-packages.ts';
import { nodeStep, projectRoot, runStep, toLine } from './run-step.ts';

type Totals = { passed: number; failed: number; skipped: TestCase[] };

/** `npm test [-- <file filter>...]`: builds, runs every test, and ends with one plain line of totals. */
async function main(filters: readonly string[]): Promise<boolean> {
  ensureDebianPackages([{ name: 'git', program: 'git' }]);
  const totals = (await build()) ? await runTests(filters) : { passed: 0, failed: 1, skipped: [] };
  for (const test of totals.skipped)
    console.log(`skipped: ${test.module.relativeModuleId} > ${test.fullName}`);
  const isPassed = totals.failed === 0 && !(process.env['CI'] && totals.skipped.length > 0);
  if (totals.failed === 0 && !isPassed) console.log('In CI a skipped test is a failure.');
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped.length} skipped`);
  return isPassed;
}

/** What the tests start is what ships: the bundles. */
async function build(): Promise<boolean> {
  if (!existsSync(join(projectRoot, 'esbuild.config.ts'))) return true;
  const result = await runStep(nodeStep('build', 'esbuild.config.ts'), 'shown');
  console.log(toLine(result));
  return result.isPassed;
}

async function runTests(filters: readonly string[]): Promise<Totals> {
  const vitest = await startVitest('test', [...filters], { root: projectRoot, watch: false, run: true });
  const modules = vitest.state.getTestModules();
  const faults = vitest.state.getUnhandledErrors().length;
  await vitest.close();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  // A file that cannot be loaded, a set-up that fails and a stray rejection are failures without a test.
  const failed = inState('failed').length + modules.filter(isBroken).length + faults;
  const unfinished =
    tests.length - inState('passed').length - inState('failed').length - inState('skipped').length;
  return {
    passed: inState('passed').length,
    failed: failed + unfinished + (modules.length === 0 && faults === 0 ? 1 : 0),
    skipped: inState('skipped'),
  };
}

function isBroken(module: TestModule): boolean {
  const hasSuiteErrors = [...module.children.allSuites()].some((suite) => suite.errors().length > 0);
  return module.errors().length > 0 || hasSuiteErrors;
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
