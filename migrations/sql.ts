import { type Kysely, sql } from 'kysely';

/** Migrations must not depend on row types of today: they run against schemas of every age. */
// biome-ignore lint/suspicious/noExplicitAny: Kysely's own type for a schema-less database.
export type MigrationDatabase = Kysely<any>;

export async function run(db: MigrationDatabase, ...statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** The organization that stands for the platform itself: scope of what belongs to no tenant. */
export const platformOrganizationId = 'org_00000000000000000000000000';

/** For tables of the platform: visible only to a transaction that names the platform's own scope. */
export function isolatePlatform(table: string, grants: Readonly<Record<string, string>>): string[] {
  return isolate(table, `(select current_org()) = '${platformOrganizationId}'`, grants);
}

/**
 * Row-level security for a table with an `org_id` column: a session sees and writes only rows of the organization
 * its transaction names. FORCE binds the owner too; `(select ...)` lets the planner evaluate the setting once.
 */
export function isolateTenant(table: string, grants: Readonly<Record<string, string>>): string[] {
  return isolate(table, 'org_id = (select current_org())', grants);
}

function isolate(table: string, condition: string, grants: Readonly<Record<string, string>>): string[] {
  return [
    `alter table ${table} enable row level security`,
    `alter table ${table} force row level security`,
    `create policy tenant on ${table} using (${condition}) with check (${condition})`,
    ...Object.entries(grants).map(([role, privileges]) => `grant ${privileges} on ${table} to ${role}`),
  ];
}
