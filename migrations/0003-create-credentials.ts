import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `create table service_account (
       org_id text not null references organization (org_id),
       service_account_id text not null unique,
       name text not null,
       display_name text not null,
       owner_team_id text,
       status text not null check (status in ('active', 'disabled')),
       managed_by text not null check (managed_by in ('git', 'api', 'platform')),
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, service_account_id),
       unique (org_id, name),
       foreign key (org_id, owner_team_id) references team (org_id, team_id)
     )`,
    `create table data_key (
       data_key_id text primary key,
       purpose text not null,
       version integer not null,
       wrapped_key bytea not null,
       wrapping_key_id text not null,
       created_at timestamptz not null,
       unique (purpose, version)
     )`,
    'grant select, insert, update on data_key to uos_app, uos_log',
    // No foreign key to its owner: a key outlives a removed service account, revoked, so that the trail stays readable.
    `create table api_key (
       org_id text not null,
       key_id text not null unique,
       service_account_id text not null,
       secret_mac bytea not null check (length(secret_mac) = 32),
       pepper_version integer not null,
       last_four text not null,
       description text not null,
       status text not null check (status in ('active', 'revoked')),
       created_at timestamptz not null,
       created_by text not null,
       expires_at timestamptz,
       revoked_at timestamptz,
       revoked_by text,
       primary key (org_id, key_id)
     )`,
    'create index api_key_by_owner on api_key (org_id, service_account_id)',
    // The answer may show a secret, so it is kept sealed, and only as long as a retry can arrive.
    `create table idempotency_record (
       org_id text not null references organization (org_id),
       idempotency_key text not null,
       request_hash bytea not null,
       response_status integer not null,
       response_sealed bytea not null,
       created_at timestamptz not null,
       primary key (org_id, idempotency_key)
     )`,
    'create index idempotency_record_by_age on idempotency_record (org_id, created_at)',
    ...isolateTenant('service_account', { uos_app: 'select, insert, update, delete' }),
    ...isolateTenant('api_key', { uos_app: 'select, insert, update' }),
    ...isolateTenant('idempotency_record', { uos_app: 'select, insert, update, delete' }),
  );
}
