import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildPolicyBundle, findOpa } from '../../policies/build.ts';

const cwd = join(import.meta.dirname, '../../policies');
const opa = await findOpa();
if (opa === undefined) process.stderr.write('skipped: tests/policy needs opa, see the reason above\n');

/** What the command printed, or its complaint. */
async function run(...parameters: string[]): Promise<string> {
  const started = promisify(execFile)(opa ?? '', parameters, { cwd, timeout: 60_000, maxBuffer: 16_777_216 });
  return started.then(
    ({ stdout }) => stdout,
    (error: { stdout?: string; stderr?: string }) => `failed: ${error.stdout}${error.stderr}`,
  );
}

const strict = ['check', '--strict', '--schema', 'schemas/input.json', '--capabilities', 'capabilities.json'];
const everything = ['uos', 'lib', 'data'];

const coverageSchema = z.object({
  coverage: z.number(),
  files: z.record(z.string(), z.object({ not_covered: z.array(z.unknown()).optional() })),
});

const annotationsSchema = z.object({
  annotations: z.array(
    z.object({
      annotations: z.object({
        scope: z.string(),
        title: z.string().optional(),
        description: z.string().optional(),
        entrypoint: z.boolean().optional(),
        custom: z.object({ code: z.string().optional(), message: z.string().optional() }).optional(),
      }),
      location: z.object({ file: z.string(), row: z.number() }),
      path: z.array(z.object({ value: z.string() })),
    }),
  ),
});

describe.skipIf(opa === undefined)('the policies', () => {
  test('are formatted', async () => {
    expect(await run('fmt', '--list', '--fail', ...everything)).toBe('');
  });

  test('pass the strict check against the input schema and the built-ins the WASM runtime has', async () => {
    expect(await run(...strict, ...everything)).toBe('');
  });

  test('pass all their tests', async () => {
    const results = z
      .array(z.object({ name: z.string(), fail: z.boolean().optional() }))
      .parse(JSON.parse(await run('test', '--format', 'json', ...everything)));
    expect(results.filter(({ fail }) => fail)).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
  });

  test('are covered by them to the last line', async () => {
    const report = coverageSchema.parse(
      JSON.parse(await run('test', '--coverage', '--format', 'json', ...everything)),
    );
    const open = Object.entries(report.files).filter(([, file]) => file.not_covered !== undefined);
    expect({ coverage: report.coverage, open }).toEqual({ coverage: 100, open: [] });
  });

  test('have an allow, a deny and an undefined case in every package', async () => {
    const names = await run('test', '--verbose', ...everything);
    const packages = ['condition', 'expiry', 'mfa', 'network', 'permission', 'scope', 'time_window'];
    for (const name of [...packages.map((one) => `lib.${one}`), 'uos.authz']) {
      for (const kind of ['allow', 'deny', 'undefined'])
        expect(names).toContain(`data.${name}_test.test_${kind}_`);
    }
  });

  test('say of every rule what it is and which code it stands for', async () => {
    // Folder by folder: the examples beside them are bundles of their own, with packages of the same name.
    const inspected = ['uos', 'lib'].map((folder) => run('inspect', '-a', '--format', 'json', folder));
    const annotations = (await Promise.all(inspected)).flatMap(
      (text) => annotationsSchema.parse(JSON.parse(text)).annotations,
    );
    const described = new Set<string>();
    for (const { annotations: notes, location, path } of annotations) {
      const rule = `${location.file}:${location.row}`;
      expect(notes.title, rule).toBeDefined();
      expect(notes.description, rule).toBeDefined();
      if (notes.scope !== 'package') expect(notes.custom?.code, rule).toBeDefined();
      described.add(path.map(({ value }) => value).join('.'));
    }
    expect(await undescribedRules(described)).toEqual([]);
    expect(annotations.filter(({ annotations: { entrypoint } }) => entrypoint)).toHaveLength(1);
  });

  test.each([
    'time.now_ns()',
    'http.send({})',
    'io.jwt.decode("")',
    'crypto.sha256("")',
    'regex.split("a", "b")',
  ])('cannot use %s, which the WASM runtime lacks or does in another way', async (call) => {
    const directory = await mkdtemp(join(tmpdir(), 'uos-policy-'));
    try {
      const file = join(directory, 'banned.rego');
      await writeFile(file, `package banned\n\np := ${call}\n`);
      expect(await run(...strict, file)).toMatch(/undefined function/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('compile to the very bundle that the repository keeps', async () => {
    expect((await buildPolicyBundle({ check: true })).status).toBe('unchanged');
  });
});

/** Rules outside tests, as the compiler parsed them, that no annotation names. */
async function undescribedRules(described: ReadonlySet<string>): Promise<string[]> {
  const moduleSchema = z.object({
    package: z.object({ path: z.array(z.object({ value: z.string() })) }),
    rules: z.array(z.object({ head: z.object({ ref: z.array(z.object({ value: z.unknown() })) }) })),
  });
  const files = [
    'uos/authz/authz',
    'uos/authz/bindings',
    'lib/condition/condition',
    'lib/expiry/expiry',
    'lib/mfa/mfa',
    'lib/network/network',
    'lib/permission/permission',
    'lib/scope/scope',
    'lib/time_window/time_window',
  ];
  const names = files.map(async (file) => {
    const { package: own, rules } = moduleSchema.parse(
      JSON.parse(await run('parse', '--format', 'json', `${file}.rego`)),
    );
    const prefix = own.path.map(({ value }) => value).join('.');
    return rules.map(({ head }) => `${prefix}.${head.ref[0]?.value}`);
  });
  return (await Promise.all(names)).flat().filter((name) => !described.has(name));
}
