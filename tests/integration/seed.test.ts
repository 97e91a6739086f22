import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyApiKey } from '../../shared/api-key/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import { seedDatabase } from '../bench/seed.ts';
import { idOf, keyTextOf, planOrganizations } from '../bench/seed-plan.ts';
import { seedTableNames } from '../bench/seed-tables.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, type TestApiKeys } from '../support/seed-organization.ts';

const scale = { organizations: 40, users: 400, keys: 1_000 };
let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
  await seedDatabase({
    ownerUrl: database.ownerUrl,
    pepper: keys.deps.pepper,
    scale,
    progress: () => {},
  });
});
afterAll(async () => {
  await keys.dispose();
  await pool.close();
  await database.drop();
});

async function asOwner<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('seeded data', () => {
  test('is as much as was asked for, in organizations of very different sizes', async () => {
    const [counts] = await asOwner<Record<string, number>>(
      `select (select count(*)::int from organization) as organizations,
              (select count(*)::int from membership) as users,
              (select count(*)::int from api_key) as keys`,
    );
    expect(counts).toEqual(scale);
    const sizes = planOrganizations(scale).map(({ users }) => users);
    expect(sizes[0]).toBeGreaterThan(10 * (sizes.at(-1) ?? 0));
  });

  test('has keys that work, whose text follows from their place alone', async () => {
    const verified = await verifyApiKey(keys.deps, keyTextOf(3, 7));
    expect(verified).toMatchObject({ ok: true, value: { id: idOf('key', 3, 7) } });
  });

  test('is the same every time', () => {
    // Known keys: whoever wrote one down can use it after the next seeding too.
    expect(idOf('usr', 0, 0)).toBe('usr_01kdvdna00f5aahjtk53p001d3');
    expect(keyTextOf(3, 7)).toMatch(/^uos_sa_test_01kdvdna00f0nrk88bxg6mkcn4_O84S/);
    expect(planOrganizations(scale)).toEqual(planOrganizations(scale));
  });

  test('leaves row-level security and the triggers on', async () => {
    const rows = await asOwner<{ forced: boolean; off: number }>(
      `select c.relforcerowsecurity as forced,
              (select count(*)::int from pg_trigger t where t.tgrelid = c.oid and t.tgenabled = 'D') as off
         from pg_class c where c.relname in (${seedTableNames.map((name) => `'${name}'`).join(', ')})`,
    );
    expect(rows).toHaveLength(seedTableNames.length);
    expect(rows.every(({ forced, off }) => forced && off === 0)).toBe(true);
  });
});
