import { type MigrationDatabase, run } from './sql.ts';

/**
 * A rotation that waits for rows nobody can seal anew must not keep its purpose from another: the next one takes over
 * what it left. It is finished to the index that allows one at a time, and to code of before, and says who took over.
 *
 * And an API key that can prove nothing any more is not waited for: its HMAC would be replaced at its next use.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    'alter table data_key_rotation add column superseded_by text references data_key_rotation (rotation_id)',
    `alter table data_key_rotation add check (superseded_by is null or status = 'finished')`,
    `update sealed_column set version_expression =
       'case when secret_mac is not null and secret_sealed is null and status <> ''revoked''
         and (expires_at is null or expires_at > now()) then pepper_version end'
       where relation = 'api_key' and column_name = 'secret_mac'`,
  );
}
