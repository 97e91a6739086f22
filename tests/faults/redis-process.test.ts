import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabasePool, openPool } from '../../shared/db/index.ts';
import { waitUntil } from '../support/authorize-instance.ts';
import { type AuthorizeProcess, startAuthorizeProcess } from '../support/authorize-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from '../support/seed-organization.ts';

const burst = 100;

let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;
let organization: SeededOrganization;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
  organization = await seedOrganization(pool, { serviceAccounts: ['hung', 'killed', 'never there'] });
});
afterAll(async () => {
  await keys.dispose();
  await pool.close();
  await database.drop();
});

/** The function as it is deployed, with its own deadlines; nothing comes back while a test runs. */
const startAuthorize = (redis: { url: string; token: string }) =>
  startAuthorizeProcess({
    databaseUrl: database.appUrl,
    wrappingKeyFile: keys.wrappingKeyFile,
    env: {
      REDIS_URL: redis.url,
      REDIS_TOKEN: redis.token,
      CALLER_RATE_PER_SECOND: '0.001',
      CALLER_BURST: String(burst),
    },
  });

/** Statuses of single questions, of which a caller has a hundred. */
async function ask(instance: AuthorizeProcess, account: string, times: number): Promise<number[]> {
  const { text } = await keys.issue(organization, account);
  const subject = { type: 'service_account', id: organization.idOf(account) };
  const question = { subject, action: { name: 'read' }, resource: { type: 'team', id: 'team_1' } };
  const statuses: number[] = [];
  for (let n = 0; n < times; n++) {
    const response = await fetch(`${instance.base}/access/v1/evaluation`, {
      method: 'POST',
      headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

async function expectLimited(instance: AuthorizeProcess, account: string): Promise<void> {
  const statuses = await ask(instance, account, burst + 10);
  expect(statuses).toEqual([...Array<number>(burst).fill(200), ...Array<number>(10).fill(429)]);
  await waitUntil(async () => (await fetch(`${instance.base}/health/ready`)).status === 200);
}

describe.skipIf(!hasRedis)('an instance of authorize goes on answering, and limits alone,', () => {
  let redis: TestRedis;
  let instance: AuthorizeProcess;
  beforeAll(async () => {
    redis = await startTestRedis();
    instance = await startAuthorize(redis.bridge);
  });
  afterAll(async () => {
    await instance.stop();
    await redis.close();
  });

  test('while Redis hangs', async () => {
    process.kill(redis.server.pid, 'SIGSTOP');
    try {
      await expectLimited(instance, 'hung');
    } finally {
      process.kill(redis.server.pid, 'SIGCONT');
    }
  });

  test('when Redis is killed', async () => {
    process.kill(redis.server.pid, 'SIGKILL');
    await expectLimited(instance, 'killed');
  });
});

test('an instance of authorize starts, answers and limits where its Redis was never there', async () => {
  const instance = await startAuthorize({ url: 'http://127.0.0.1:9', token: 'any' });
  try {
    await expectLimited(instance, 'never there');
  } finally {
    await instance.stop();
  }
});
