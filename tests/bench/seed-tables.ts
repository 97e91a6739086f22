import type pg from 'pg';
import { seededAt } from './seed-plan.ts';

export type Cell = string | number | Buffer | Date | null;

type Table = {
  /** Type of each column that differs from row to row. A list is sent as text, separated by spaces. */
  readonly columns: Readonly<Record<string, 'text' | 'int' | 'bytea' | 'timestamptz' | 'jsonb' | 'list'>>;
  /** SQL of what is the same in every row. */
  readonly constants: Readonly<Record<string, string>>;
};

const instant = `timestamptz '${seededAt.toISOString()}'`;
const managed = { managed_by: "'api'", created_at: instant, updated_at: instant };
const active = { status: "'active'", ...managed };

/** In the order in which rows may refer to each other. */
export const seedTables = {
  organization: { columns: text('org_id', 'name', 'display_name'), constants: active },
  membership: { columns: text('org_id', 'user_id', 'name', 'email', 'display_name'), constants: active },
  team: { columns: text('org_id', 'team_id', 'name', 'display_name', 'parent_team_id'), constants: managed },
  team_member: {
    columns: text('org_id', 'team_id', 'member_id'),
    constants: { member_type: "'user'", managed_by: "'api'", created_at: instant },
  },
  user_group: { columns: text('org_id', 'group_id', 'name', 'display_name'), constants: managed },
  group_member: {
    columns: text('org_id', 'group_id', 'member_id'),
    constants: { member_type: "'user'", managed_by: "'api'", created_at: instant },
  },
  resource_type: {
    columns: { ...text('org_id', 'name'), actions: 'list' },
    constants: { description: "''", ...managed },
  },
  resource: {
    columns: text('org_id', 'resource_type', 'resource_id', 'owner'),
    constants: { attributes: "'{}'", ...managed },
  },
  role: {
    columns: { ...text('org_id', 'role_id', 'name', 'description'), permissions: 'list' },
    constants: managed,
  },
  role_binding: {
    columns: {
      ...text('org_id', 'binding_id', 'name', 'role_name', 'subject_type', 'subject_id'),
      ...text('scope_type', 'scope_id', 'effect'),
      expires_at: 'timestamptz',
      conditions: 'jsonb',
    },
    constants: managed,
  },
  service_account: {
    columns: text('org_id', 'service_account_id', 'name', 'display_name'),
    constants: active,
  },
  api_key: {
    columns: {
      ...text('org_id', 'key_id', 'service_account_id', 'last_four', 'created_by'),
      secret_sealed: 'bytea',
      secret_key_version: 'int',
    },
    constants: { description: "'seeded'", status: "'active'", created_at: instant },
  },
  locator: { columns: text('id', 'org_id'), constants: {} },
  // The triggers that count are off meanwhile; without a number nothing of a large tree is shared among subjects.
  authorization_revision: {
    columns: text('org_id'),
    constants: { revision: '1', subjects_revision: '1', resources_revision: '0' },
  },
} as const satisfies Record<string, Table>;

export type SeedTableName = keyof typeof seedTables;
export const seedTableNames = Object.keys(seedTables) as SeedTableName[];

/** All rows in one statement: one array a column, which costs a tenth of a parameter a value. */
export async function insertRows(
  client: pg.Client,
  name: SeedTableName,
  rows: readonly Cell[][],
): Promise<void> {
  if (rows.length === 0) return;
  const { columns, constants }: Table = seedTables[name];
  const varying = Object.entries(columns);
  const into = [...varying.map(([column]) => column), ...Object.keys(constants)];
  const values = varying.map(([column, type]) =>
    type === 'list' ? `string_to_array(given.${column}, ' ')` : `given.${column}`,
  );
  const arrays = varying.map(([, type], place) => `$${place + 1}::${type === 'list' ? 'text' : type}[]`);
  await client.query(
    `insert into ${name} (${into.join(', ')})
     select ${[...values, ...Object.values(constants)].join(', ')}
       from unnest(${arrays.join(', ')}) as given (${varying.map(([column]) => column).join(', ')})`,
    varying.map((_, place) => rows.map((row) => row[place] ?? null)),
  );
}

function text<const Column extends string>(...columns: readonly Column[]): Record<Column, 'text'> {
  return Object.fromEntries(columns.map((column) => [column, 'text'])) as Record<Column, 'text'>;
}
