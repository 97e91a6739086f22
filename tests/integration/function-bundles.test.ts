import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFunctions } from '../../esbuild.config.ts';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { openPool } from '../../shared/db/index.ts';
import { askAuthorize } from '../support/authorize-instance.ts';
import { startAuthorizeProcess } from '../support/authorize-process.ts';
import { bundleFiles, withData } from '../support/policy-bundle-fixture.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, seedOrganization } from '../support/seed-organization.ts';

let dist: string;

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'uos-bundles-'));
  await buildFunctions(dist);
});
afterAll(() => rm(dist, { recursive: true }));

describe('the bundle of a function', () => {
  it('loads from nothing but itself, and names what its environment lacks', async () => {
    const names = await readdir(dist);
    expect(names).toContain('authorize');
    for (const name of names) {
      const program = join(dist, name, 'index.mjs');
      const { status, stderr, stdout } = spawnSync(process.execPath, [program], { cwd: dist, env: {} });
      expect(`${name}: ${stderr}${stdout}`).toContain('DATABASE_URL');
      expect(status).not.toBe(0);
    }
  });

  it('answers by a policy that we did not write, in a thread of its own', async () => {
    await using closers = new AsyncDisposableStack();
    const database = await createTestDatabase();
    closers.defer(() => database.drop());
    const pool = openPool({ url: database.appUrl, applicationName: 'test' });
    closers.defer(() => pool.close());
    const keys = await openTestApiKeys(pool);
    closers.defer(() => keys.dispose());
    const generous = withData(await bundleFiles({ version: 9 }), 'generous', ({ roles }) => {
      roles.Developer.permissions = ['*:*'];
    });
    await writeBundleFiles(join(dist, 'policy'), generous);
    closers.defer(() => rm(join(dist, 'policy'), { recursive: true }));
    const { base, stop } = await startAuthorizeProcess({
      databaseUrl: database.appUrl,
      wrappingKeyFile: keys.wrappingKeyFile,
      env: { POLICY_BUNDLE_URL: pathToFileURL(join(dist, 'policy')).href },
      program: join(dist, 'authorize/index.mjs'),
    });
    closers.defer(stop);
    const organization = await seedOrganization(pool, {
      serviceAccounts: ['gateway'],
      bindings: [{ role: 'Developer', subject: 'gateway' }],
    });
    const token = (await keys.issue(organization, 'gateway')).text;
    const subject = { type: 'service_account', id: organization.idOf('gateway') };
    const question = { subject, action: { name: 'erase' }, resource: { type: 'moon', id: '1' } };
    expect((await askAuthorize(base, question, { token })).text).toBe('{"decision":true}');
  });
});
