import { type MigrationDatabase, run } from './sql.ts';

/** What revoked a key, so that repeating a revocation is told from revoking a key that nobody knows. */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(db, 'alter table signing_key add column revoked_at timestamptz, add column revoked_by text');
}
