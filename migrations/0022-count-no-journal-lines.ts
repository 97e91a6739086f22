import { type MigrationDatabase, run } from './sql.ts';

/**
 * No statistics of the journal's lines, which no query compares: sorting them took a quarter of a second of a core at
 * every analysis, once a minute, while questions waited.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(db, 'alter table decision_journal alter column lines set statistics 0');
}
