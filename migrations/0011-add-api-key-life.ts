import { type MigrationDatabase, run } from './sql.ts';

/** What of a key a decision or a proof rests on; a new seal, a last use, a label or a note is nothing to anyone. */
const ofProof = [
  'status',
  'expires_at',
  'scopes',
  'allowed_networks',
  'secret_number',
  'previous_secret_until',
];
const ofFacts = ['status', 'expires_at', 'scopes'];

/**
 * Keys of persons, scopes, networks, two live secrets, and secrets that another data key can seal anew without their
 * text. `secret_mac` stays until no row needs it: code of before this migration goes on verifying the rows it wrote.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `alter table api_key
       add column user_id text,
       add column scopes text[] check (cardinality(scopes) between 1 and 100),
       add column allowed_networks text[] check (cardinality(allowed_networks) between 1 and 100),
       add column labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
       add column reason text,
       add column secret_sealed bytea,
       add column secret_key_version integer,
       -- One more with each rotation. A new seal of the same secret leaves it.
       add column secret_number integer not null default 1,
       add column previous_secret_sealed bytea,
       add column previous_secret_key_version integer,
       add column previous_secret_until timestamptz,
       add column last_used_at timestamptz,
       add column disabled_at timestamptz,
       add column disabled_by text,
       alter column service_account_id drop not null,
       alter column secret_mac drop not null,
       alter column pepper_version drop not null,
       drop constraint api_key_status_check,
       add constraint api_key_status_check check (status in ('active', 'disabled', 'revoked')),
       add constraint api_key_one_owner check (num_nonnulls(service_account_id, user_id) = 1),
       -- Nobody hands on all that a person may do.
       add constraint api_key_personal_is_scoped check (user_id is null or scopes is not null),
       add constraint api_key_has_secret check (num_nonnulls(secret_sealed, secret_mac) > 0),
       add constraint api_key_seal_is_versioned check (
         (secret_sealed is null) = (secret_key_version is null)
         and (previous_secret_sealed is null) = (previous_secret_key_version is null)
         and (previous_secret_sealed is null) = (previous_secret_until is null))`,
    'create index api_key_by_user on api_key (org_id, user_id) where user_id is not null',
    ...onChange('notify', { after: 'insert', call: 'notify_api_key_changed()', columns: ofProof }),
    ...onChange('facts_notify', {
      after: 'insert',
      call: 'notify_authorization_changed()',
      columns: ofFacts,
    }),
    ...onChange('revise', {
      kind: 'constraint trigger',
      after: 'insert or delete',
      timing: 'deferrable initially deferred',
      call: "revise_authorization('subjects')",
      columns: ofFacts,
    }),
  );
}

type OnChange = {
  readonly kind?: string;
  readonly after: string;
  readonly timing?: string;
  readonly call: string;
  readonly columns: readonly string[];
};

/** In place of a trigger that fired for every update: half a million new seals must not empty every cache. */
function onChange(name: string, { kind = 'trigger', after, timing = '', call, columns }: OnChange): string[] {
  const row = (of: string) => `(${columns.map((column) => `${of}.${column}`).join(', ')})`;
  return [
    `drop trigger api_key_${name} on api_key`,
    `create ${kind} api_key_${name} after ${after} on api_key ${timing}
       for each row execute function ${call}`,
    `create ${kind} api_key_${name}_update after update on api_key ${timing}
       for each row when (${row('old')} is distinct from ${row('new')}) execute function ${call}`,
  ];
}
