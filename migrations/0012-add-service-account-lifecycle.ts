import { type MigrationDatabase, run } from './sql.ts';

/**
 * A deleted account keeps its row, so that its id is never given again and the trail stays readable. Its `name` becomes
 * its id, which frees the name for another account: the unique constraint stays as it is, because code of the version
 * before names it in ON CONFLICT. The check keeps that code from enabling a deleted account again.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `alter table service_account
       drop constraint service_account_status_check,
       add constraint service_account_status_check check (status in ('active', 'disabled', 'deleted')),
       add column labels jsonb not null default '{}' check (jsonb_typeof(labels) = 'object'),
       add column expires_at timestamptz,
       add column created_by text,
       add column reason text,
       add column deleted_name text,
       add column deleted_at timestamptz,
       add constraint service_account_deletion_is_final check (
         (status = 'deleted') = (deleted_at is not null) and (deleted_at is null) = (deleted_name is null)
         and (deleted_at is null or name = service_account_id))`,
  );
}
