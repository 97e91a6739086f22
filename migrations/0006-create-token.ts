import { type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // What a key may do follows from these instants and the clock, so a lost or doubled tick changes nothing.
    `create table signing_key (
       key_id text primary key,
       algorithm text not null,
       public_jwk jsonb not null,
       private_jwk_sealed bytea,
       published_at timestamptz not null,
       active_from timestamptz not null,
       verify_until timestamptz,
       created_at timestamptz not null
     )`,
    `create table signing_key_rotation_request (
       request_id text primary key,
       requested_by text not null,
       requested_at timestamptz not null,
       done_at timestamptz
     )`,
    'grant select, insert, update, delete on signing_key to uos_app',
    'grant select, insert, update on signing_key_rotation_request to uos_app',
    `create table oidc_record (
       model text not null,
       id_hash bytea not null,
       payload_sealed bytea not null,
       grant_id_hash bytea,
       uid_hash bytea,
       user_code_hash bytea,
       account_id text,
       consumed_at timestamptz,
       expires_at timestamptz,
       primary key (model, id_hash)
     )`,
    'create index oidc_record_by_grant on oidc_record (model, grant_id_hash) where grant_id_hash is not null',
    'create index oidc_record_by_uid on oidc_record (model, uid_hash) where uid_hash is not null',
    'create index oidc_record_by_user_code on oidc_record (model, user_code_hash) where user_code_hash is not null',
    'create index oidc_record_by_expiry on oidc_record (expires_at)',
    'grant select, insert, update, delete on oidc_record to uos_app',
    // fence grows with each holder, so that work of a holder that lost its lease can be told apart.
    `create table lease (
       name text primary key,
       holder text not null,
       fence bigint not null,
       expires_at timestamptz not null
     )`,
    'grant select, insert, update, delete on lease to uos_app, uos_relay, uos_log',
    `create function notify_signing_key() returns trigger language plpgsql
       as $$ begin perform pg_notify('signing_key_changed', ''); return null; end $$`,
    `create trigger signing_key_notify after insert or update or delete on signing_key
       for each statement execute function notify_signing_key()`,
  );
}
