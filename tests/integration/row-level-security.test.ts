import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { digestDatabase } from '../support/admin-service.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';

/** Whose rows a table holds, read from the catalogue: a table that is made tomorrow is attacked tomorrow. */
type Column = { readonly name: string; readonly type: string; readonly required: boolean };
type Table = { readonly name: string; readonly columns: readonly Column[] };

let database: TestDatabase;
let above: Client;
let tables: readonly Table[];
let mine: string;
let theirs: string;
const logins = { uos_app: 'appUrl', uos_relay: 'relayUrl', uos_log: 'logUrl' } as const;
type Role = keyof typeof logins;

beforeAll(async () => {
  database = await createTestDatabase();
  above = await connect(database.superuserUrl);
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  mine = (await seedOrganization(pool)).organizationId;
  theirs = (await seedOrganization(pool)).organizationId;
  await pool.close();
  tables = await readTables();
  for (const org of [mine, theirs]) for (const table of tables) await fill(table, org);
});
afterAll(async () => {
  await above.end();
  await database.drop();
});

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function readTables(): Promise<Table[]> {
  const { rows } = await above.query<Table>(
    `select c.relname as name, json_agg(json_build_object(
              'name', a.attname, 'type', format_type(a.atttypid, null),
              'required', a.attnotnull and not a.atthasdef and a.attidentity = '') order by a.attnum) as columns
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
      group by c.oid having bool_or(a.attname = 'org_id') order by 1`,
  );
  return rows;
}

const samples: Readonly<Record<string, string>> = {
  text: `'x'`,
  bytea: `decode(repeat('00', 32), 'hex')`,
  integer: '0',
  bigint: '0',
  boolean: 'true',
  jsonb: `'{}'`,
  date: `'2026-01-01'`,
  'text[]': `'{}'`,
  'timestamp with time zone': 'now()',
};

/** A row of an organization with any values: what the constraints of a table say is not what is tested here. */
async function fill(table: Table, org: string): Promise<void> {
  const values = valuesOf(table, org);
  // No triggers: foreign keys are triggers, and checks are dropped below for the copy that this database is.
  await above.query(`set session_replication_role = replica`);
  const checks = await above.query<{ name: string }>(
    `select conname as name from pg_constraint where contype = 'c' and conrelid = $1::regclass`,
    [table.name],
  );
  for (const { name } of checks.rows)
    await above.query(`alter table ${table.name} drop constraint ${above.escapeIdentifier(name)}`);
  await above.query(
    `insert into ${table.name} (${Object.keys(values)}) values (${Object.values(values)}) on conflict do nothing`,
  );
}

function valuesOf(table: Table, org: string): Record<string, string> {
  return Object.fromEntries(
    table.columns
      .filter(({ required }) => required)
      .map(({ name, type }) => {
        if (name === 'org_id') return [name, `'${org}'`];
        return [name, type === 'text' ? `'${org}-${name}'` : (samples[type] ?? `'unknown type ${type}'`)];
      }),
  );
}

/** Runs one statement as a role, in the scope of an organization, and undoes it. Undefined: it was refused. */
async function attempt(role: Role, scope: string | undefined, statement: string) {
  const client = await connect(database[logins[role]]);
  try {
    await client.query('begin');
    if (scope !== undefined) await client.query(`select set_config('uos.org_id', $1, true)`, [scope]);
    const result = await client.query(statement);
    return { count: result.rowCount ?? 0, rows: result.rows };
  } catch (error) {
    // 42501: the privilege is lacking, or the row violates a policy.
    if (error instanceof Error && 'code' in error && error.code === '42501') return undefined;
    throw error;
  } finally {
    await client.end();
  }
}

const roles = Object.keys(logins) as Role[];
/** What reads across organizations by design, and nothing else. */
const exceptions: Readonly<Record<string, readonly Role[]>> = {
  locator: ['uos_app'],
  outbox: ['uos_relay'],
  audit_log: ['uos_log'],
  audit_export: ['uos_log'],
};
const mayFindAll = (table: string, role: Role) => exceptions[table]?.includes(role) ?? false;

describe('the catalogue', () => {
  it('holds the tables of the spine', () => {
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['api_key', 'audit_event', 'organization', 'outbox', 'service_account']),
    );
  });

  it('forces row-level security, with a policy, on every table with an org_id', async () => {
    const { rows } = await above.query<{ name: string; isForced: boolean; policies: number }>(
      `select relname as name, relrowsecurity and relforcerowsecurity as "isForced",
              (select count(*)::int from pg_policy where polrelid = c.oid) as policies
         from pg_class c where relname = any($1)`,
      [tables.map(({ name }) => name)],
    );
    expect(rows.length).toBe(tables.length);
    expect(rows.filter(({ isForced, policies }) => !isForced || policies === 0)).toEqual([]);
  });

  it('leads with org_id in the primary key of every table that a tenant reads by it', async () => {
    const { rows } = await above.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary
         join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where c.relname = any($1) and a.attname <> 'org_id' order by 1`,
      [tables.map(({ name }) => name)],
    );
    // Found by id before the organization is known; read in order across organizations; belongs to the platform.
    expect(rows.map(({ name }) => name)).toEqual(['git_source_organization', 'locator', 'outbox']);
  });

  it.each(roles)('%s owns nothing and cannot pass by', async (role) => {
    const { rows } = await above.query(
      `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
              (select count(*)::int from pg_class where relowner = r.oid) as relations,
              (select count(*)::int from pg_proc where proowner = r.oid) as functions,
              has_schema_privilege(rolname, 'public', 'create') as creates
         from pg_roles r where rolname = $1`,
      [role],
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        relations: 0,
        functions: 0,
        creates: false,
      },
    ]);
  });

  it('has no view and no function that would read with the rights of another', async () => {
    const { rows } = await above.query(
      `select relname as name from pg_class where relkind in ('v', 'm') and relnamespace = 'public'::regnamespace
       union all select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace`,
    );
    expect(rows).toEqual([]);
  });
});

describe.each(roles)('a session of %s', (role) => {
  it.each([undefined, ''])('whose organization is %j reads no row of any tenant', async (scope) => {
    for (const { name } of tables) {
      if (mayFindAll(name, role)) continue;
      const read = await attempt(role, scope, `select 1 from ${name}`);
      expect([name, read?.count ?? 0]).toEqual([name, 0]);
    }
  });

  it('of one organization reads none of another', async () => {
    for (const { name } of tables) {
      if (mayFindAll(name, role)) continue;
      const read = await attempt(role, mine, `select org_id from ${name}`);
      expect([name, (read?.rows ?? []).filter(({ org_id }) => org_id !== mine)]).toEqual([name, []]);
    }
  });

  it('of one organization writes none of another', async () => {
    const before = await digestDatabase(database.superuserUrl);
    for (const { name, columns } of tables) {
      const isRelayed = name === 'outbox' && role === 'uos_relay';
      const values = valuesOf({ name, columns }, theirs);
      const inserted = await attempt(
        role,
        mine,
        `insert into ${name} (${Object.keys(values)}) values (${Object.values(values)})`,
      );
      expect([name, 'insert', inserted]).toEqual([name, 'insert', undefined]);
      // A locator is deleted by its own organization only; the relay deletes what it has delivered.
      if (isRelayed) continue;
      for (const change of [`update ${name} set org_id = org_id`, `delete from ${name}`]) {
        const changed = await attempt(role, mine, `${change} where org_id = '${theirs}'`);
        expect([name, change, changed?.count ?? 0]).toEqual([name, change, 0]);
      }
      const moved = await attempt(
        role,
        mine,
        `update ${name} set org_id = '${theirs}' where org_id = '${mine}'`,
      );
      expect([name, 'move', moved?.count ?? 0]).toEqual([name, 'move', 0]);
    }
    expect(await digestDatabase(database.superuserUrl)).toEqual(before);
  });
});

describe('what these attacks stand on', () => {
  it('is there: each table holds a row of both organizations', async () => {
    for (const { name } of tables) {
      const { rows } = await above.query(`select distinct org_id from ${name}`);
      expect([name, rows.map(({ org_id }) => org_id)]).toEqual([
        name,
        expect.arrayContaining([mine, theirs]),
      ]);
    }
  });

  it('would be seen: a session of the organization itself reads and writes its row', async () => {
    const own = await attempt('uos_app', mine, 'update service_account set display_name = display_name');
    expect(own?.count).toBe(1);
  });

  it('is not only of the functions: the owner of the schema is bound as well', async () => {
    const owner = await connect(database.ownerUrl);
    const { rows } = await owner.query('select 1 from organization');
    await owner.end();
    expect(rows).toEqual([]);
  });

  // Threat: a pooled connection that keeps the last tenant's setting.
  it('does not outlive the transaction, however that ends', async () => {
    const client = await connect(database.appUrl);
    for (const end of ['commit', 'rollback']) {
      await client.query(`begin; select set_config('uos.org_id', '${mine}', true)`);
      await client.query(end);
      expect((await client.query('select 1 from organization')).rows).toEqual([]);
    }
    await client.query(`begin; select set_config('uos.org_id', '${mine}', true)`);
    await client.query('select 1/0').catch(() => undefined);
    await client.query('rollback');
    expect((await client.query('select 1 from organization')).rows).toEqual([]);
    await client.end();
  });

  it('opens the platform’s tables to the platform’s own scope alone', async () => {
    for (const table of ['git_source', 'webhook_delivery', 'git_source_organization']) {
      const policies = await above.query(
        `select pg_get_expr(polqual, polrelid) as text from pg_policy where polrelid = $1::regclass`,
        [table],
      );
      expect(policies.rows.map(({ text }) => text).join()).toContain(platformOrganizationId);
    }
  });
});
