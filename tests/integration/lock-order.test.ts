import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apiKeyId, type CheckedScopes, issuePersonalApiKey, userId } from '../../shared/api-key/index.ts';
import { postgresApiKeyUseStore } from '../../shared/api-key-use/api-key-use-store.postgres.ts';
import { withOrg } from '../../shared/db/index.ts';
import { reportLeakedKeys } from '../../shared/leak-report/index.ts';
import { postgresLeakReportStore } from '../../shared/leak-report/leak-report-store.postgres.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let home: string;
let account: string;
let ofAccount: string;
/** Of the account `ci`. */
let key: { id: string; text: string };
/** Holds the organization as reconciliation does, and then wants the row that the change is about. */
let reconciliation: pg.Client;
let observer: pg.Client;

beforeAll(async () => {
  // However slow the machine, nobody gives up waiting.
  admin = await startAdminService({ statementTimeoutMs: 60_000 });
  reconciliation = await connect();
  observer = await connect();
});
afterAll(async () => {
  await reconciliation.end();
  await observer.end();
  await admin.close();
});
beforeEach(async () => {
  tenant = await admin.seedTenant({ users: ['ada'], serviceAccounts: ['ci'], teams: { core: {} } });
  home = `/v1/organizations/${tenant.organizationId}`;
  account = tenant.idOf('ci');
  ofAccount = `${home}/service-accounts/${account}`;
  const issued = await admin.apiKeys.issue(tenant, 'ci');
  key = { id: issued.key.id, text: issued.text };
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: admin.database.superuserUrl });
  await client.connect();
  return client;
}

async function untilSomebodyWaits(): Promise<void> {
  const { rows: own } = await reconciliation.query('select pg_backend_pid() as pid');
  const deadline = performance.now() + 20_000;
  for (;;) {
    const { rows } = await observer.query(
      'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))',
      [own[0]?.pid],
    );
    if (rows.length > 0) return;
    expect(performance.now()).toBeLessThan(deadline);
  }
}

type Outcome = Promise<{ readonly status: number }>;

/** What the change answers when reconciliation was there first and writes the row that the change is about. */
async function changeUnder(write: { text: string; id: string }, change: () => Outcome): Promise<number> {
  await reconciliation.query('begin');
  let outcome: Outcome | undefined;
  try {
    await reconciliation.query('select from organization where org_id = $1 for update', [
      tenant.organizationId,
    ]);
    outcome = change();
    // Handled below; until then a refusal must not end the run.
    outcome.catch(() => undefined);
    await untilSomebodyWaits();
    await reconciliation.query(write.text, [write.id]);
    await reconciliation.query('commit');
  } finally {
    // Nothing to undo once it is committed.
    await reconciliation.query('rollback');
  }
  return (await outcome).status;
}

const post = (path: string, body: object = {}, headers: Record<string, string> = {}) =>
  admin.request('post', path, { key: tenant.key, body, headers });

const toStatus = (isDone: boolean) => ({ status: isDone ? 200 : 500 });

// What reconciliation does to the row: removing an account or a team changes its name, which a reference to it minds.
const writes = {
  account: 'update service_account set updated_at = now() where service_account_id = $1',
  accountName: `update service_account set name = 'renamed' where service_account_id = $1`,
  key: 'update api_key set last_used_at = now() where key_id = $1',
  teamName: `update team set name = 'renamed' where team_id = $1`,
  membership: 'update membership set updated_at = now() where user_id = $1',
};

const trustRule = {
  name: 'deployments',
  issuer: 'https://token.actions.githubusercontent.com',
  subjectPattern: 'repo:octo-org/octo-repo:ref:refs/heads/main',
  requiredClaims: [
    { pointer: '/repository_owner_id', value: '65' },
    { pointer: '/repository_id', value: '74' },
  ],
};

// Threat: of two that wait for each other the database ends one, and a revocation may be the one.
describe('while an organization is reconciled', () => {
  it.each<[string, keyof typeof writes, () => string, () => Outcome]>([
    ['issuing a key', 'account', () => account, () => post(`${ofAccount}/api-keys`, { description: 'x' })],
    [
      'issuing a key under an Idempotency-Key',
      'account',
      () => account,
      () => post(`${ofAccount}/api-keys`, { description: 'x' }, { 'idempotency-key': 'once' }),
    ],
    ['issuing a personal key', 'membership', () => tenant.idOf('ada'), issuePersonalKey],
    ['rotating a key', 'key', () => key.id, () => post(`${home}/api-keys/${key.id}/rotate`)],
    ['disabling a key', 'key', () => key.id, () => post(`${home}/api-keys/${key.id}/disable`)],
    ['revoking a key', 'key', () => key.id, () => post(`${home}/api-keys/${key.id}/revoke`)],
    [
      'revoking many keys',
      'key',
      () => key.id,
      () => post(`${home}/api-keys/revoke`, { serviceAccountId: account }),
    ],
    ['revoking a leaked key', 'key', () => key.id, reportLeak],
    [
      'creating an account of a team',
      'teamName',
      () => tenant.idOf('core'),
      () =>
        post(`${home}/service-accounts`, { name: 'a', displayName: 'A', ownerTeamId: tenant.idOf('core') }),
    ],
    ['disabling an account', 'account', () => account, () => post(`${ofAccount}/disable`)],
    ['deleting an account', 'account', () => account, () => post(`${ofAccount}/delete`)],
    [
      'creating a trust rule',
      'accountName',
      () => account,
      () => post(`${ofAccount}/trust-rules`, trustRule),
    ],
    [
      'erasing a person',
      'membership',
      () => tenant.idOf('ada'),
      () => post(`${home}/users/${tenant.idOf('ada')}/erase`),
    ],
  ])('%s waits, and both are done', async (_, row, idOf, change) => {
    const status = await changeUnder({ text: writes[row], id: idOf() }, change);
    expect([200, 201]).toContain(status);
  });
});

// Threat: thousands of last uses are written at once, and of two that take the same keys one dies: the revocation, say.
it('the last uses of keys take them in the order in which a revocation of many does', async () => {
  const other = (await admin.apiKeys.issue(tenant, 'ci')).key.id;
  const [first = '', last = ''] = [key.id, other].sort();
  // Read in the order of the table, it would come last.
  await observer.query(`update api_key set description = 'moved' where key_id = $1`, [first]);
  await reconciliation.query('begin');
  await reconciliation.query('select from api_key where key_id = $1 for update', [first]);
  const recorded = withOrg(admin.pool, tenant.organizationId, async (tx) => {
    for (const plan of ['indexscan', 'bitmapscan', 'nestloop', 'mergejoin'])
      await sql`set local ${sql.raw(`enable_${plan}`)} = off`.execute(tx);
    const uses = [last, first].map((keyId) => ({ keyId: apiKeyId.require(keyId), usedAt: new Date() }));
    await postgresApiKeyUseStore.record(tx, tenant.organizationId, uses);
  });
  recorded.catch(() => undefined);
  try {
    await untilSomebodyWaits();
    await reconciliation.query('select from api_key where key_id = $1 for update', [last]);
  } finally {
    await reconciliation.query('rollback');
  }
  await recorded;
});

async function issuePersonalKey(): Outcome {
  const issued = await issuePersonalApiKey(admin.apiKeys.deps, {
    organizationId: tenant.organizationId,
    description: 'x',
    environment: 'test',
    actor: { type: 'user', id: userId.require(tenant.idOf('ada')) },
    scopes: ['document:read'] as readonly string[] as CheckedScopes,
  });
  return toStatus(issued.ok);
}

async function reportLeak(): Outcome {
  const deps = { ...admin.apiKeys.deps, reports: postgresLeakReportStore };
  const [label] = await reportLeakedKeys(deps, { texts: [key.text], source: 'self-report' });
  return toStatus(label === 'true_positive');
}
