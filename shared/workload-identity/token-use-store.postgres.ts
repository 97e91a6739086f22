import { sql } from 'kysely';
import { invariant } from '../kernel/index.ts';
import type { TokenUseStore } from './token-use-store.ts';

export const postgresTokenUseStore: TokenUseStore = {
  add: async (tx, { digest, until }) => {
    const added = await tx
      .insertInto('token_use')
      .values({ digest: Buffer.from(digest), until })
      .onConflict((conflict) => conflict.column('digest').doNothing())
      .returning('until')
      .executeTakeFirst();
    return added !== undefined;
  },
  now: async (tx) => {
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(tx);
    const [row] = rows;
    invariant(row !== undefined, 'the database told no time');
    return row.now;
  },
  removeExpired: async (tx, { before, limit }) => {
    const expired = await tx
      .selectFrom('token_use')
      .select('digest')
      .where('until', '<', before)
      .orderBy('until')
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    const digests = expired.map(({ digest }) => digest);
    if (digests.length > 0) await tx.deleteFrom('token_use').where('digest', 'in', digests).execute();
    return expired.length;
  },
};
