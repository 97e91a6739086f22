import { type MigrationDatabase, platformOrganizationId, run } from './sql.ts';

/**
 * A rotation that waits for rows nobody can seal anew must not keep its purpose from another: the next one takes over
 * what it left. It is finished to the index that allows one at a time, and to code of before, and says who took over.
 *
 * An API key that can prove nothing any more is not waited for: its HMAC would be replaced at its next use. And what
 * was answered to organizations that ask no more is deleted too, since it may show a secret.
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
    pruneRecords,
  );
}

/**
 * Deletes recorded answers of before a moment, at most \`rows_max\`, of at most \`orgs_max\` organizations after one.
 * Visits each under its own row-level security, with its caller's rights.
 */
const pruneRecords = `
create function prune_idempotency_records(before timestamptz, after_org text, orgs_max integer, rows_max integer)
  returns table (last_org text, removed integer) language plpgsql as $$
declare
  was text := coalesce(current_setting('uos.org_id', true), '');
  orgs text[];
  n integer;
begin
  removed := 0;
  perform set_config('uos.org_id', '${platformOrganizationId}', true);
  orgs := array(select o.org_id from organization o where o.org_id > after_org order by 1 limit orgs_max);
  foreach last_org in array orgs loop
    perform set_config('uos.org_id', last_org, true);
    delete from idempotency_record where idempotency_key in (
      select r.idempotency_key from idempotency_record r where r.created_at < before
        order by r.created_at limit rows_max - removed for update skip locked);
    get diagnostics n = row_count;
    removed := removed + n;
    exit when removed >= rows_max;
  end loop;
  perform set_config('uos.org_id', was, true);
  return next;
end $$`;
