import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabasePool, openPool, withOrg } from '../../shared/db/index.ts';
import { startAuthorizeProcess } from '../support/authorize-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
});
afterAll(async () => {
  await keys.dispose();
  await pool.close();
  await database.drop();
});

describe('the deployed function', () => {
  it('answers from its environment alone, and on SIGTERM leaves every decision durable', async () => {
    const organization = await seedOrganization(pool, {
      serviceAccounts: ['gateway'],
      bindings: [{ role: 'Developer', subject: 'gateway' }],
    });
    await withOrg(pool, organization.organizationId, (tx) =>
      tx.updateTable('organization').set({ decision_log_level: 'all' }).execute(),
    );
    const { text } = await keys.issue(organization, 'gateway');
    const process = await startAuthorizeProcess({
      databaseUrl: database.appUrl,
      wrappingKeyFile: keys.wrappingKeyFile,
    });
    const ask = async (requestId: string) => {
      const response = await fetch(`${process.base}/access/v1/evaluation`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${text}`,
          'content-type': 'application/json',
          'x-request-id': requestId,
        },
        body: JSON.stringify({
          subject: { type: 'service_account', id: organization.idOf('gateway') },
          action: { name: 'read' },
          resource: { type: 'team', id: 'team_1' },
        }),
      });
      return response.json();
    };
    const asked = Array.from({ length: 20 }, (_, n) => `ask-${n}`);
    for (const requestId of asked) expect(await ask(requestId)).toEqual({ decision: true });
    await process.stop();
    expect((await readDecisions(organization.organizationId)).sort()).toEqual(asked.sort());
  });

  it('does not start with a broken environment, and names every fault at once', async () => {
    const broken = startAuthorizeProcess({
      databaseUrl: 'mysql://nowhere',
      wrappingKeyFile: '',
    });
    await expect(broken).rejects.toThrow(/DATABASE_URL(.|\n)*WRAPPING_KEY_FILE/);
  });
});

/** Request ids of all decisions that are durable. */
async function readDecisions(organizationId: string): Promise<string[]> {
  const parts = await withOrg(pool, organizationId, (tx) =>
    tx.selectFrom('decision_journal').select('lines').execute(),
  );
  const lines = parts.flatMap((part) => part.lines.trimEnd().split('\n'));
  return lines.map((line) => JSON.parse(line).request_id);
}
