import { type DatabasePool, overClient } from './pool.ts';
import type { OrgTransaction } from './transaction.ts';

/**
 * Which organization owns a prefixed public id (`key_...`, `sa_...`), asked before any organization is known. The
 * only query that crosses tenants on a public path, and it can tell nothing else.
 */
export async function locate(pool: DatabasePool, id: string): Promise<string | undefined> {
  const client = await pool.connect();
  try {
    const row = await overClient(client)
      .selectFrom('locator')
      .select('org_id')
      .where('id', '=', id)
      .executeTakeFirst();
    return row?.org_id;
  } finally {
    client.release();
  }
}

export async function addLocator(tx: OrgTransaction, id: string, orgId: string): Promise<void> {
  await tx.insertInto('locator').values({ id, org_id: orgId }).execute();
}
