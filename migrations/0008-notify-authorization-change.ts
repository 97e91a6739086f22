import { type MigrationDatabase, run } from './sql.ts';

const facts = ['membership', 'team', 'team_member', 'role', 'role_binding', 'service_account'];

/**
 * Whoever changes what a decision rests on tells every warm instance in the same transaction. Triggers, not code,
 * so that no present or future writer can forget. PostgreSQL folds equal payloads of one transaction into one.
 * Payload: `<org_id>` for facts of an organization, `<org_id> <key_id>` for an API key.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `create function notify_authorization_changed() returns trigger language plpgsql as $$
     begin
       perform pg_notify('authorization_changed', coalesce(new.org_id, old.org_id));
       return null;
     end $$`,
    `create function notify_api_key_changed() returns trigger language plpgsql as $$
     begin
       perform pg_notify('authorization_changed', new.org_id || ' ' || new.key_id);
       return null;
     end $$`,
    ...facts.map(
      (table) => `create trigger ${table}_notify after insert or update or delete on ${table}
         for each row execute function notify_authorization_changed()`,
    ),
    `create trigger organization_notify after update on organization
       for each row execute function notify_authorization_changed()`,
    `create trigger api_key_notify after insert or update on api_key
       for each row execute function notify_api_key_changed()`,
  );
}
