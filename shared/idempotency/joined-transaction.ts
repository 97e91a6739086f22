import { type DatabasePool, type OrgTransaction, type PoolClient, withOrg } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';

/**
 * One transaction of an organization that whole use cases take part in: each transaction they open on `joined`, of
 * whatever organization, becomes a savepoint of it. So what a use case changed and what is noted about it commit
 * together. On `joined`, one transaction at a time.
 */
export async function withJoinedTransaction<T>(
  pool: DatabasePool,
  orgId: string,
  work: (tx: OrgTransaction, joined: DatabasePool) => Promise<T>,
): Promise<T> {
  let client: PoolClient | undefined;
  const watched = {
    ...pool,
    connect: async () => {
      client = await pool.connect();
      return client;
    },
  };
  return withOrg(watched, orgId, (tx) => {
    invariant(client, 'a transaction began without a connection');
    return work(tx, joinedPool(pool, client));
  });
}

function joinedPool(pool: DatabasePool, client: PoolClient): DatabasePool {
  const query = (text: unknown, ...rest: readonly unknown[]): unknown =>
    Reflect.apply(client.query, client, [typeof text === 'string' ? toSavepoint(text) : text, ...rest]);
  // pg declares query with a dozen overloads, all of which pass through unchanged.
  const nested = { query: query as PoolClient['query'], release: () => undefined };
  return { ...pool, connect: async () => nested, close: async () => undefined };
}

/** Transaction commands as shared/db sends them; a setting that is local to a transaction is local to a savepoint too. */
function toSavepoint(text: string): string {
  if (text === 'commit') return 'release savepoint joined';
  if (text === 'rollback') return 'rollback to savepoint joined; release savepoint joined';
  return text.replace(/^begin\b/, 'savepoint joined');
}
