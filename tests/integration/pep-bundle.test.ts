import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildPep } from '../../shared/pep/build.ts';
import { startDecisionPoint } from './pep-fixture.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const compiler = join(root, 'node_modules/typescript/bin/tsc');

/** What a team writes who has the package and nothing else of ours. */
const consumer = `
import { AccessRefusedError, createPep, expressPep, fetchPep, honoPep, fastifyPep, type Outcome, type Pep } from 'user-org-service-pep';

const pep: Pep = createPep({
  url: process.argv[2] ?? '',
  credential: async () => 'key',
  timeoutMs: 30_000,
  cache: { entriesMax: 10, ttlMs: 1000 },
  onError: ({ code }) => console.error(code),
});
const question = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'document', id: '1' } };
const outcome: Outcome = await pep.evaluate(question);
if (outcome.outcome === 'step_up') console.log(outcome.stepUp.acr?.length, outcome.stepUp.maxAge?.toFixed());
// @ts-expect-error: an error has no context
if (outcome.outcome === 'error') console.log(outcome.context);
// @ts-expect-error: a question has an action
await pep.evaluate({ subject: question.subject, resource: question.resource });
const guarded = fetchPep(pep, { 'GET /documents/:id': ({ params }) => ({ ...question, resource: { type: 'document', id: params['id'] ?? '' } }) },
  (_request, { params }) => new Response(params['id']));
const refused = await pep.require({ ...question, subject: { type: 'user', id: 'bob' } }).catch((error: unknown) => error);
console.log(JSON.stringify({
  outcome: outcome.outcome,
  guarded: [(await guarded(new Request('http://a/documents/1'))).status, (await guarded(new Request('http://a/admin'))).status],
  refused: refused instanceof AccessRefusedError && refused.outcome.outcome,
  middleware: [typeof expressPep(pep, () => undefined), typeof honoPep(pep, () => undefined), typeof fastifyPep(pep, () => undefined)],
}));
`;

let project: string;
const installed = () => join(project, 'node_modules/user-org-service-pep');

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'uos-pep-consumer-'));
  await buildPep(join(project, 'built'));
  const { files }: { files: string[] } = JSON.parse(
    await readFile(join(project, 'built/package.json'), 'utf8'),
  );
  // As \`npm pack\` does: the manifest and what it lists.
  await mkdir(installed(), { recursive: true });
  for (const file of ['package.json', ...files])
    await cp(join(project, 'built', file), join(installed(), file));
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  await writeFile(join(project, 'consumer.ts'), consumer);
});
afterAll(() => rm(project, { recursive: true }));

test('the package is one module that imports nothing, its types, and no dependency', async () => {
  expect((await readdir(installed())).sort()).toEqual([
    'README.md',
    'index.d.ts',
    'index.mjs',
    'package.json',
  ]);
  expect(await readFile(join(installed(), 'index.mjs'), 'utf8')).not.toMatch(
    /\bimport\b[^;]*['"]|\brequire\(/,
  );
  expect(await readFile(join(installed(), 'index.d.ts'), 'utf8')).not.toMatch(/^import /m);
  const manifest = JSON.parse(await readFile(join(installed(), 'package.json'), 'utf8'));
  expect(manifest).not.toHaveProperty('dependencies');
  expect(manifest).not.toHaveProperty('peerDependencies');
});

// Errors in the declarations themselves count too: a consumer need not skip the check of libraries.
test('a consumer compiles against its types in the strictest mode', async () => {
  await mkdir(join(project, 'types'), { recursive: true });
  await symlink(join(root, 'node_modules/@types/node'), join(project, 'types/node'));
  await symlink(join(root, 'node_modules/undici-types'), join(project, 'node_modules/undici-types'));
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    lib: ['ES2023'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: ['./types'],
    rootDir: '.',
    outDir: 'out',
  };
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['consumer.ts'] }),
  );
  const { stdout } = await run(process.execPath, [compiler, '--project', project]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

test.each([
  ['the Node of this repository', process.execPath],
  ['the Node of this machine', 'node'],
])('the compiled consumer runs on %s and is guarded', async (_name, node) => {
  const point = await startDecisionPoint(({ body }) => ({
    decision: JSON.stringify(body).includes('alice'),
  }));
  await using _closing = point;
  const { stdout } = await run(node, [join(project, 'out/consumer.js'), point.base]);
  expect(JSON.parse(stdout)).toEqual({
    outcome: 'allow',
    guarded: [200, 404],
    refused: 'deny',
    middleware: ['function', 'function', 'function'],
  });
});
