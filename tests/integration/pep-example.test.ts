import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GuardedProcess, spawnGuarded } from '../../knative/local/guarded-process.ts';
import { buildPep } from '../../shared/pep/build.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../support/authorize-instance.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** As a checkout that was built: the example, the package and what the repository installs, but none of our sources. */
let checkout: string;
const example = () => join(checkout, 'shared/pep/example');

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'uos-pep-example-'));
  await mkdir(example(), { recursive: true });
  for (const file of ['package.json', 'server.ts'])
    await cp(join(root, 'shared/pep/example', file), join(example(), file));
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  await buildPep(join(checkout, 'dist/pep'));
  // The command of its README; the network would only be asked about other things.
  const quietly = ['--offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', '--prefix', example(), '--no-package-lock', ...quietly]);
});
afterAll(() => rm(checkout, { recursive: true }));

it('the example compiles against the published types', async () => {
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    noEmit: true,
  };
  const project = join(example(), 'tsconfig.json');
  await writeFile(project, JSON.stringify({ compilerOptions, files: ['server.ts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const compiled = await run(process.execPath, [compiler, '--project', project, '--listFiles']).catch(
    (error: { stdout: string }) => error,
  );
  const lines = compiled.stdout.split('\n');
  expect(lines.filter((line) => line.includes('error TS'))).toEqual([]);
  expect(lines.filter((line) => line.endsWith('dist/pep/index.d.ts'))).toHaveLength(1);
});

describe('the example, run on the published package', () => {
  let world: AuthorizeWorld;
  let instance: AuthorizeInstance;
  let organization: SeededOrganization;
  let server: GuardedProcess;
  let base: string;

  beforeAll(async () => {
    world = await createAuthorizeWorld();
    instance = await startAuthorizeInstance(world);
    organization = await seedOrganization(world.pool, {
      users: ['alice', 'olga'],
      serviceAccounts: ['gateway'],
      roles: { reader: ['document:read'] },
      bindings: [
        { role: 'Developer', subject: 'gateway' },
        { role: 'OrgOwner', subject: 'olga' },
        { role: 'reader', subject: 'alice' },
        { role: 'reader', subject: 'alice', at: { resource: 'document:secret' }, effect: 'deny' },
      ],
    });
    const credentialFile = join(checkout, 'key');
    const gateway = await world.keys.issue(organization, 'gateway');
    await writeFile(credentialFile, `${gateway.text}\n`, { mode: 0o600 });
    const listening = Promise.withResolvers<string>();
    server = spawnGuarded({
      command: process.execPath,
      args: [
        join(example(), 'server.ts'),
        ...['--pdp', instance.base, '--credential-file', credentialFile],
        ...['--port', '0', '--timeout-ms', '30000'],
      ],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      cwd: checkout,
      stopSignal: 'SIGTERM',
      onLine: (line) => {
        const found = /Listening on (\S+)/.exec(line)?.[1];
        if (found !== undefined) listening.resolve(found);
      },
    });
    server.ended.then((end) => listening.reject(new Error(`the example ended: ${end}`)));
    base = await listening.promise;
  });
  afterAll(async () => {
    await server.stop();
    await world[Symbol.asyncDispose]();
  });

  const get = async (path: string, subject = `user:${organization.idOf('alice')}`) => {
    const response = await fetch(base + path, { headers: { 'x-demo-subject': subject } });
    return { status: response.status, text: await response.text() };
  };

  it('guards its routes by the decisions of a running platform, and answers 503 without it', async () => {
    expect(await get('/documents/42')).toEqual({ status: 200, text: 'document 42\n' });
    expect(await get('/documents/secret')).toMatchObject({ status: 403 });
    const own = `/organizations/${organization.organizationId}`;
    expect(await get(own)).toMatchObject({ status: 403 });
    const service = `service_account:${organization.idOf('gateway')}`;
    expect(await get(own, service)).toMatchObject({ status: 200 });
    expect(await get('/documents/42', `user:${organization.idOf('olga')}`)).toMatchObject({ status: 401 });
    expect(await get('/documents/42', '')).toMatchObject({ status: 403 });
    expect(await get('/elsewhere')).toMatchObject({ status: 404 });
    await instance.close();
    expect(await get('/documents/42')).toMatchObject({ status: 503 });
  });
});
