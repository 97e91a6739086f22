import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import { runPolicy } from '../support/policy-command.ts';

const opa = await findOpa();
const example = join(import.meta.dirname, '../../policies/examples/todo');
const timeout = 60_000;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'uos-example-'));
});
afterAll(() => rm(scratch, { recursive: true }));

let copies = 0;
async function changed(path: string, from: string, to: string): Promise<string> {
  const copy = join(scratch, `copy-${copies++}`);
  await cp(example, copy, { recursive: true });
  const text = await readFile(join(copy, path), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(copy, path), text.replace(from, to));
  return copy;
}

describe.skipIf(opa === undefined)('the example bundle', () => {
  test('passes every check of its own command', { timeout }, async () => {
    expect(await runPolicy('test', example)).toEqual({
      code: 0,
      out: ['format', 'types', 'tests', 'coverage', 'cases'].map((step) => `ok      ${step}\n`).join(''),
      complaint: '',
    });
  });

  test.each([
    ['format', 'policy/uos/authz/authz.rego', 'default decision', ' default  decision'],
    ['types', 'policy/uos/authz/authz.rego', 'input.action.name', 'input.action.nmae'],
    ['types', 'policy/uos/authz/authz.rego', 'not data.people', 'time.now_ns() > 0\n\tnot data.people'],
    ['tests', 'policy/uos/authz/authz.rego', '"own_list"', '"of_ones_own"'],
    ['coverage', 'policy/uos/authz/authz_test.rego', 'test_allow_own_list if', 'allow_own_list if'],
    ['cases', 'data/permissions/data.json', '"can_read_user", "can_read_todos"]', '"can_read_user"]'],
    ['cases', 'cases/todo.yaml', 'rule: own_list }', 'rule: own_list, cache_seconds: 5 }'],
    [
      'cases',
      'policy/uos/authz/authz.rego',
      '"rule": "own_list"',
      '"rule": "own_list", "cache_seconds": "5"',
    ],
  ])('that fails its %s is told so, and with 1', { timeout }, async (step, path, from, to) => {
    const { code, out } = await runPolicy('test', await changed(path, from, to));
    expect(code).toBe(1);
    expect(out).toContain(`FAILED  ${step}\n`);
  });

  test('is built to the same bytes from the same sources', { timeout }, async () => {
    const archives = ['a.tar.gz', 'b.tar.gz'].map((name) => join(scratch, name));
    for (const out of archives) {
      expect((await runPolicy('build', example, '--out', out, '--version', '3')).code).toBe(0);
    }
    const [first, second] = await Promise.all(archives.map((path) => readFile(path)));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  });

  test('that does not compile is not built, and the compiler heard', { timeout }, async () => {
    const broken = await changed('policy/uos/authz/authz.rego', 'default decision :=', 'default decision');
    const { code, complaint } = await runPolicy('build', broken, '--out', join(scratch, 'broken.tar.gz'));
    expect(code).toBe(2);
    expect(complaint).toMatch(/does not compile[\s\S]*authz\.rego:/);
  });

  test('that would permit an empty question is not built', { timeout }, async () => {
    const open = await changed(
      'policy/uos/authz/authz.rego',
      'default decision := {"decision": false',
      'default decision := {"decision": true',
    );
    const { code, complaint } = await runPolicy('build', open, '--out', join(scratch, 'open.tar.gz'));
    expect([code, complaint]).toEqual([2, expect.stringContaining('permits an empty question')]);
  });
});
