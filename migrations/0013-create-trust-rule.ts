import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

/**
 * Trust rules of service accounts, and which foreign tokens were exchanged. Whoever changes a rule tells every warm
 * instance in the same transaction, as 0008 does for keys: payload `<org_id> <trust_rule_id>`.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `create table trust_rule (
       org_id text not null,
       trust_rule_id text not null unique,
       service_account_id text not null,
       name text not null,
       issuer text not null,
       audience text not null,
       subject_pattern text not null,
       required_claims jsonb not null,
       token_age_seconds_max integer not null,
       token_use text not null check (token_use in ('once', 'until_expiry')),
       scopes text[],
       jwks jsonb,
       status text not null check (status in ('active', 'disabled')),
       created_at timestamptz not null,
       created_by text not null,
       updated_at timestamptz not null,
       primary key (org_id, trust_rule_id),
       unique (org_id, service_account_id, name),
       foreign key (org_id, service_account_id) references service_account (org_id, service_account_id) on delete cascade
     )`,
    ...isolateTenant('trust_rule', { uos_app: 'select, insert, update, delete' }),
    `create function notify_trust_rule_changed() returns trigger language plpgsql as $$
     begin
       perform pg_notify('authorization_changed',
         coalesce(new.org_id, old.org_id) || ' ' || coalesce(new.trust_rule_id, old.trust_rule_id));
       return null;
     end $$`,
    `create trigger trust_rule_notify after insert or update or delete on trust_rule
       for each row execute function notify_trust_rule_changed()`,
    // Of no tenant: the digest names the organization, and a prune looks at all that expired.
    `create table token_use (
       digest bytea primary key check (length(digest) = 32),
       until timestamptz not null
     )`,
    'create index token_use_by_expiry on token_use (until)',
    'grant select, insert, update, delete on token_use to uos_app',
  );
}
