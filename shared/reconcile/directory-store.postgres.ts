import { sql } from 'kysely';
import type { DirectoryStore } from './directory-store.ts';
import { loadDirectory } from './load-directory.postgres.ts';
import { writeChange } from './write-change.postgres.ts';

export const postgresDirectoryStore: DirectoryStore = {
  lock: async (tx, organizationId) => {
    // The advisory lock also holds while there is no row to lock yet.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`reconcile:${organizationId}`}, 0))`.execute(
      tx,
    );
    // Every event refers to this row, and such a reference (FOR KEY SHARE) waits for FOR UPDATE.
    await tx
      .selectFrom('organization')
      .select('org_id')
      .where('org_id', '=', organizationId)
      .forUpdate()
      .execute();
  },
  load: loadDirectory,
  write: writeChange,
  revokeKeys: async (tx, { owner, by, at }) => {
    const rows = await tx
      // In one order, as everybody who changes several keys: else two could wait for each other.
      .with('found', (query) =>
        query
          .selectFrom('api_key')
          .select('key_id')
          .where(owner.type === 'user' ? 'user_id' : 'service_account_id', '=', owner.id)
          .where('status', '<>', 'revoked')
          .orderBy('key_id')
          .forUpdate(),
      )
      .updateTable('api_key')
      .set({ status: 'revoked', revoked_at: at, revoked_by: by })
      .where('key_id', 'in', (query) => query.selectFrom('found').select('key_id'))
      .returning(['key_id', 'last_four'])
      .execute();
    return rows.map((row) => ({ id: row.key_id, lastFour: row.last_four }));
  },
};
