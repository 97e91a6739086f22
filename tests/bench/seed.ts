import pg from 'pg';
import type { KeyRing } from '../../shared/secret/index.ts';
import { planOrganizations, type SeedScale } from './seed-plan.ts';
import { addRows, type SeedRows } from './seed-rows.ts';
import { insertRows, seedTableNames } from './seed-tables.ts';

export type SeedInput = {
  /** Of the role that owns the schema. */
  readonly ownerUrl: string;
  /** Seals the API keys' secrets, so that the keys work. */
  readonly pepper: KeyRing;
  readonly scale: SeedScale;
  progress(line: string): void;
};

const keysPerRound = 20_000;

/**
 * Fills an empty, migrated database in one transaction: all of it or nothing. Within it, row-level security and the
 * triggers that tell warm instances are off for the owner, so nobody else can use these tables meanwhile.
 */
export async function seedDatabase(input: SeedInput): Promise<void> {
  const client = new pg.Client({ connectionString: input.ownerUrl, application_name: 'uos-seed' });
  await client.connect();
  try {
    await client.query('begin');
    for (const name of seedTableNames) {
      await client.query(`alter table ${name} no force row level security, disable trigger user`);
    }
    await insertAll(client, input);
    for (const name of seedTableNames) {
      await client.query(`alter table ${name} force row level security, enable trigger user`);
    }
    await client.query('commit');
    // As a database is that has been in use: else the first to read a page writes it, while questions are measured.
    await client.query(`vacuum (freeze, analyze) ${seedTableNames.join(', ')}`);
  } finally {
    await client.end();
  }
}

async function insertAll(client: pg.Client, { scale, pepper, progress }: SeedInput): Promise<void> {
  let rows = noRows();
  let keys = 0;
  for (const plan of planOrganizations(scale)) {
    await addRows(rows, plan, pepper);
    keys += plan.keys;
    const isLast = plan.place === scale.organizations - 1;
    if (rows.api_key.length < keysPerRound && !isLast) continue;
    for (const name of seedTableNames) await insertRows(client, name, rows[name]);
    rows = noRows();
    progress(`  ${plan.place + 1} of ${scale.organizations} organizations, ${keys} of ${scale.keys} keys`);
  }
}

function noRows(): SeedRows {
  return {
    organization: [],
    membership: [],
    team: [],
    team_member: [],
    user_group: [],
    group_member: [],
    resource_type: [],
    resource: [],
    role: [],
    role_binding: [],
    service_account: [],
    api_key: [],
    locator: [],
    authorization_revision: [],
  };
}
