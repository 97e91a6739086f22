import { type MigrationDatabase, run } from './sql.ts';

/** What the text of a key says of it, so that its next text says the same. Null of keys from before this was kept. */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(db, `alter table api_key add column environment text check (environment in ('live', 'test'))`);
}
