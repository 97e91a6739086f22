import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** What a program says to these arguments, with no database and no key to be had. */
function run(program: string, args: readonly string[], cwd = root) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const env = { PATH: process.env['PATH'] ?? '', INIT_CWD: cwd };
    execFile(process.execPath, [join(root, program), ...args], { cwd: root, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const programs = [
  'knative/local/main.ts',
  'knative/local/audit-verify.ts',
  'migrations/main.ts',
  'tests/bench/main.ts',
  'tests/bench/seed-main.ts',
  'policies/main.ts',
];

test.each(programs)('%s --help tells how it is used, and does nothing else', async (program) => {
  const { code, stdout, stderr } = await run(program, ['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/npm (run|start)/);
});

test.each([
  ['knative/local/main.ts', ['--tuor']],
  ['knative/local/main.ts', ['todo.tar.gz']],
  ['knative/local/main.ts', ['--policy', 'no-such-bundle.tar.gz']],
  ['knative/local/main.ts', ['--shadow', 'https://policy.example.test/b.tar.gz']],
  ['knative/local/main.ts', ['--tour', '--policy', 'policies/bundle']],
  ['knative/local/audit-verify.ts', []],
  ['knative/local/audit-verify.ts', ['a', 'b', 'c']],
  ['migrations/main.ts', ['--issue-operater-key']],
  ['migrations/main.ts', ['up']],
  ['migrations/main.ts', []],
  ['tests/bench/main.ts', []],
  ['tests/bench/main.ts', ['authorise']],
  ['tests/bench/main.ts', ['authorize', '--full', '--quick']],
  ['tests/bench/main.ts', ['authorize', '--rate', 'fast']],
  ['tests/bench/main.ts', ['authorize', '--only', 'rates,nothing']],
  ['tests/bench/main.ts', ['keys', '--olny', 'changes']],
  ['tests/bench/seed-main.ts', []],
  ['tests/bench/seed-main.ts', ['--full']],
  ['policies/main.ts', ['biuld']],
])('%s %j says what is wrong, without a trace, and ends with 2', async (program, args) => {
  const { code, stdout, stderr } = await run(program, args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).not.toBe('');
  expect(stderr).not.toContain('\n    at ');
});

test('a path is meant from where the person stands', async () => {
  const there = await mkdtemp(join(tmpdir(), 'uos-there-'));
  const { code, stderr } = await run('knative/local/audit-verify.ts', ['.', 'no-such-key'], there);
  expect(code).toBe(2);
  expect(stderr).toContain(join(there, 'no-such-key'));
  await rm(there, { recursive: true });
});
