import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootstrapPlatform, issueOperatorKey } from '../../migrations/bootstrap-platform.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { verifyApiKey } from '../../shared/api-key/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { type DatabasePool, openPool, withOrg } from '../../shared/db/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { digestDatabase } from '../support/admin-service.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let app: DatabasePool;
let directory: string;
let keyFile: string;

beforeEach(async () => {
  database = await createTestDatabase();
  app = openPool({ url: database.appUrl, applicationName: 'test' });
  directory = await mkdtemp(join(tmpdir(), 'uos-bootstrap-'));
  keyFile = join(directory, 'wrapping.key');
  await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
});
afterEach(async () => {
  await app.close();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const deps = (pool: DatabasePool) => ({ pool, clock, random });

async function withOwner<T>(work: (pool: DatabasePool) => Promise<T>): Promise<T> {
  const pool = openPool({ url: database.ownerUrl, applicationName: 'test-owner' });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

async function whoHolds(text: string) {
  const wrapper = await openFileKeyWrapper({ random }, keyFile);
  const pepper = await openKeyRing({ ...deps(app), store: postgresDataKeyStore, wrapper }, 'api-key-pepper');
  return verifyApiKey({ ...deps(app), store: postgresApiKeyStore(app), pepper }, text);
}

describe('the platform', () => {
  it('has, after the first start, an organization whose operator holds PlatformOperator, each recorded', async () => {
    const { operatorId } = await withOwner((owner) => bootstrapPlatform(deps(owner)));
    const facts = await postgresSubjectFacts(app).find(platformOrganizationId, {
      type: 'service_account',
      id: operatorId,
    });
    expect(facts).toMatchObject({
      organization: { status: 'active' },
      subject: { known: true, status: 'active' },
      bindings: [{ role: 'PlatformOperator', effect: 'allow' }],
    });
    const events = await withOrg(app, platformOrganizationId, (tx) =>
      tx.selectFrom('audit_event').select('type').orderBy('type').execute(),
    );
    expect(events.map(({ type }) => type)).toEqual([
      'uos.organization.created.v1',
      'uos.role-binding.created.v1',
      'uos.service-account.created.v1',
    ]);
  });

  it('stays as it is at every further start, from either role', async () => {
    const first = await withOwner((owner) => bootstrapPlatform(deps(owner)));
    const before = await digestDatabase(database.superuserUrl);
    expect(await bootstrapPlatform(deps(app))).toEqual(first);
    expect(await withOwner((owner) => bootstrapPlatform(deps(owner)))).toEqual(first);
    expect(await digestDatabase(database.superuserUrl)).toEqual(before);
  });

  it('is made once when six machines start at the same moment', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => bootstrapPlatform(deps(app))));
    expect(new Set(made.map(({ operatorId }) => operatorId)).size).toBe(1);
    expect((await digestDatabase(database.superuserUrl))['audit_event']).toMatch(/^3 rows/);
  });

  it('does not give back a role that was taken away', async () => {
    await bootstrapPlatform(deps(app));
    await withOrg(app, platformOrganizationId, (tx) => tx.deleteFrom('role_binding').execute());
    await bootstrapPlatform(deps(app));
    expect((await digestDatabase(database.superuserUrl))['role_binding']).toMatch(/^0 rows/);
  });
});

describe('the operator', () => {
  it('gets a key that works, as often as one is asked for', async () => {
    const wrapper = await openFileKeyWrapper({ random }, keyFile);
    const keys = [
      await issueOperatorKey({ ...deps(app), wrapper }),
      await issueOperatorKey({ ...deps(app), wrapper }),
    ];
    for (const { text, key } of keys)
      expect(await whoHolds(text)).toMatchObject({ ok: true, value: { id: key.id } });
  });

  it('gets none once it is disabled', async () => {
    await bootstrapPlatform(deps(app));
    await withOrg(app, platformOrganizationId, (tx) =>
      tx.updateTable('service_account').set({ status: 'disabled' }).execute(),
    );
    const wrapper = await openFileKeyWrapper({ random }, keyFile);
    await expect(issueOperatorKey({ ...deps(app), wrapper })).rejects.toThrow('disabled');
  });
});

describe('npm run migrate', () => {
  const run = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    promisify(execFile)(process.execPath, ['migrations/main.ts', ...args], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });

  it('prints a key of the operator, alone on standard output, when it is asked to', async () => {
    const { stdout, stderr } = await run(['--issue-operator-key'], {
      DATABASE_OWNER_URL: database.ownerUrl,
      WRAPPING_KEY_FILE: keyFile,
    });
    expect(stderr).toContain('The schema is up to date');
    expect(await whoHolds(stdout.trim())).toMatchObject({ ok: true });
    expect(stderr).not.toContain(stdout.trim());
  });

  it.each([
    ['DATABASE_OWNER_URL', {}],
    ['WRAPPING_KEY_FILE', { DATABASE_OWNER_URL: 'database' }],
  ])('says that %s is not set, and fails', async (name, env) => {
    const given = 'DATABASE_OWNER_URL' in env ? { DATABASE_OWNER_URL: database.ownerUrl } : {};
    const failed = await run(['--issue-operator-key'], given).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`${name} is not set`),
    });
  });
});
