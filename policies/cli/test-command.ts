import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Decision, PolicyEngine } from '../../shared/authorization/index.ts';
import { openBundle, writeBundleFiles } from './bundle-path.ts';
import { CommandError, onlyPlace, type PolicyCommand, readArguments, toWholeNumber } from './command.ts';
import {
  capabilities,
  compileBundle,
  complaintOf,
  findSources,
  inputSchema,
  list,
  type PolicySources,
  requireOpa,
} from './compile-sources.ts';
import { type DecisionCase, decideCase, readCases } from './decision-case.ts';

export const testCommand: PolicyCommand = {
  summary: 'checks format, types, tests, coverage and decision cases of a folder of policies',
  usage: `usage: npm run policy -- test <folder> [--coverage <percent>]

  <folder>      as for build; cases/*.yaml are asked of the compiled policy, as the decision point would
  --coverage    lines that the tests must reach, 100 unless told`,
  run: async (args, write) => {
    const { places, option } = readArguments(args, { options: ['coverage'] });
    const sources = await findSources(onlyPlace(places, 'the folder of the policies'));
    const coverage = toWholeNumber(option('coverage') ?? '100', 'coverage');
    const opa = await requireOpa();
    const steps = [
      ['format', () => complain(opa, sources, 'fmt', '--list', '--fail')],
      ['types', () => complain(opa, sources, ...strict)],
      ['tests', () => runTests(opa, sources)],
      ['coverage', () => checkCoverage(opa, sources, coverage)],
      ['cases', () => runCases(sources)],
    ] as const;
    let isGood = true;
    for (const [name, step] of steps) {
      const problem = await step().catch(toProblem);
      write(problem === '' ? `ok      ${name}\n` : `FAILED  ${name}\n${indent(problem)}\n`);
      isGood &&= problem === '';
    }
    return isGood;
  },
};

/** What cannot be compiled or read has failed too. */
function toProblem(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  throw error;
}

const strict = ['check', '--strict', '--schema', inputSchema, '--capabilities', capabilities];

async function run(opa: string, { directory, sources }: PolicySources, args: readonly string[]) {
  return promisify(execFile)(opa, [...args, ...sources], {
    cwd: directory,
    timeout: 60_000,
    maxBuffer: 2 ** 24,
  });
}

/** What the command says when it fails, else nothing. */
async function complain(opa: string, sources: PolicySources, ...args: string[]): Promise<string> {
  return run(opa, sources, args).then(() => '', complaintOf);
}

const resultsSchema = z.array(z.object({ fail: z.boolean().optional() }));

async function runTests(opa: string, sources: PolicySources): Promise<string> {
  try {
    const { stdout } = await run(opa, sources, ['test', '--format', 'json']);
    const results = resultsSchema.parse(JSON.parse(stdout || '[]'));
    return results.length === 0 ? 'there are none' : '';
  } catch {
    // The same again, for a person.
    return complain(opa, sources, 'test', '--verbose');
  }
}

const coverageSchema = z.object({ coverage: z.number() });

async function checkCoverage(opa: string, sources: PolicySources, wanted: number): Promise<string> {
  try {
    const { stdout } = await run(opa, sources, ['test', '--coverage', '--format', 'json']);
    const { coverage } = coverageSchema.parse(JSON.parse(stdout));
    return coverage >= wanted ? '' : `${coverage}% of the lines, less than ${wanted}%`;
  } catch (error) {
    return wanted === 0 ? '' : `could not be measured: ${complaintOf(error).split('\n')[0]}`;
  }
}

async function runCases(sources: PolicySources): Promise<string> {
  const files = await list(sources.directory, 'cases/*.yaml');
  if (files.length === 0) return 'there is no cases/*.yaml';
  const engine = await compileEngine(sources);
  const problems: string[] = [];
  for (const file of files) {
    for (const given of await readCases(join(sources.directory, file))) {
      const problem = describeDifference(given, await decideCase(engine, given));
      if (problem !== '') problems.push(`${file}: ${given.name}: ${problem}`);
    }
  }
  return problems.join('\n');
}

async function compileEngine(sources: PolicySources): Promise<PolicyEngine> {
  const scratch = await mkdtemp(join(tmpdir(), 'uos-policy-'));
  try {
    await writeBundleFiles(scratch, await compileBundle(sources, {}));
    return (await openBundle(scratch)).engine;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function describeDifference({ expect }: DecisionCase, decision: Decision): string {
  const actual = {
    ...decision,
    obligations: decision.obligations?.map(({ type }) => type),
    cache_seconds: decision.cacheSeconds ?? 0,
  };
  const wrong = Object.entries(expect)
    .filter(([name, value]) => JSON.stringify(Reflect.get(actual, name)) !== JSON.stringify(value))
    .map(
      ([name, value]) =>
        `${name} is ${JSON.stringify(Reflect.get(actual, name))}, not ${JSON.stringify(value)}`,
    );
  return wrong.join(', ');
}

function indent(text: string): string {
  return text.replace(/^/gm, '        ');
}
