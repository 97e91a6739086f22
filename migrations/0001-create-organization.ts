import { isolateTenant, type MigrationDatabase, platformOrganizationId, run } from './sql.ts';

const role = (name: string) => `
  do $$ begin
    create role ${name} nologin noinherit nobypassrls;
  exception when duplicate_object or unique_violation then null;
  end $$`;

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    ...['uos_app', 'uos_relay', 'uos_log'].map(role),
    'revoke create on schema public from public',
    // A setting that was local to an ended transaction reads '' afterwards, not null: nullif keeps that closed.
    `create function current_org() returns text language sql stable parallel safe
       as $$ select nullif(current_setting('uos.org_id', true), '') $$`,
    `create table organization (
       org_id text primary key,
       name text not null unique check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
       display_name text not null,
       status text not null check (status in ('active', 'suspended')),
       managed_by text not null check (managed_by in ('git', 'api', 'platform')),
       guards jsonb not null default '{"maxRemovalPercent": 25, "minOwners": 0, "removalsAlwaysAllowed": 5}',
       created_at timestamptz not null,
       updated_at timestamptz not null
     )`,
    ...isolateTenant('organization', { uos_app: 'select, insert, update', uos_log: 'select' }),
    // The platform's own scope may read and find every organization; it may write only its own row.
    `create policy platform_reads on organization for select
       using ((select current_org()) = '${platformOrganizationId}')`,
    // Found before the organization is known: a prefixed public id and the organization it belongs to, nothing else.
    `create table locator (
       id text primary key,
       org_id text not null references organization (org_id)
     )`,
    'alter table locator enable row level security',
    'alter table locator force row level security',
    'create policy anyone_finds on locator for select using (true)',
    'create policy tenant_adds on locator for insert with check (org_id = (select current_org()))',
    'create policy tenant_removes on locator for delete using (org_id = (select current_org()))',
    'grant select, insert, delete on locator to uos_app',
  );
}
