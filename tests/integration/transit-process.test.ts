import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../../shared/db/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postTick } from '../bench/tick.ts';
import { type FunctionProcess, startFunctionProcess } from '../support/function-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import { startTransitStub, type TransitStub } from '../support/transit-stub.ts';

let database: TestDatabase;
let stub: TransitStub;
let directory: string;
let process: FunctionProcess;
let superuser: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  const pool = openPool({ url: database.appUrl, applicationName: 'test' });
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  await pool.close();
  stub = await startTransitStub('transit', ['uos']);
  directory = await mkdtemp(join(tmpdir(), 'uos-transit-'));
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, stub.login.jwt, { mode: 0o600 });
  process = await startFunctionProcess('key-rotation', {
    DATABASE_URL: database.appUrl,
    KEY_WRAPPER_URL: `${stub.address}/transit/uos?token-file=${tokenFile}&role=${stub.login.role}`,
  });
});
afterAll(async () => {
  await process.stop();
  await stub.stop();
  await superuser.end();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const wrappingKeys = async () =>
  (await superuser.query('select distinct wrapping_key_id as id from data_key')).rows.map(({ id }) => id);

test('a deployed function needs a transit engine alone, and follows when its key is rotated', async () => {
  await postTick(process.base);
  expect(await wrappingKeys()).toEqual(['transit:transit/uos:v1']);
  stub.rotate('uos');
  await postTick(process.base);
  expect(await wrappingKeys()).toEqual(['transit:transit/uos:v2']);
});

// Data keys are held unwrapped: an engine that is away must not stop what needs no new one.
test('it goes on rotating signing keys while the engine is sealed', async () => {
  const keys = async () => (await superuser.query('select 1 from signing_key')).rows.length;
  const before = await keys();
  stub.isSealed = true;
  await superuser.query(`insert into signing_key_rotation_request values ('rotreq_1', 'usr_1', now())`);
  await postTick(process.base);
  expect(await keys()).toBeGreaterThan(before);
});
