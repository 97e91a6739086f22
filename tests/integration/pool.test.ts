import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DatabasePool, openPool } from '../../shared/db/index.ts';
import { isTransientError } from '../../shared/kernel/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let pool: DatabasePool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test-pool', connectionsMax: 1 });
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const ask = () => pool.query<{ one: number }>({ text: 'select 1 as one' });
const failureOf = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

// What is taken for a fault of ours is answered 500 and not tried again.
it('a pool that has no connection to give says so in a way that is seen to pass, whichever way it is asked', async () => {
  const held = await pool.connect();
  const failures = await Promise.all([failureOf(pool.connect()), failureOf(ask())]);
  expect(failures.map(isTransientError)).toEqual([true, true]);
  held.release();
  expect((await ask()).rows).toEqual([{ one: 1 }]);
});

it('a statement that fails takes its connection with it, and the next one gets another', async () => {
  const failure = await failureOf(pool.query({ text: 'select 1 / 0' }));
  expect(failure).toMatchObject({ code: '22012' });
  expect(isTransientError(failure)).toBe(false);
  expect((await ask()).rows).toEqual([{ one: 1 }]);
});
