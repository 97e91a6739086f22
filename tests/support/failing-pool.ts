import type { DatabasePool, PoolClient } from '../../shared/db/index.ts';

export type FailingPool = DatabasePool & {
  /** Statements asked for so far, the failed one included. */
  readonly statements: () => number;
  readonly hasFailed: () => boolean;
};

export class StatementFault extends Error {
  override readonly name = 'StatementFault';
}

/**
 * A pool whose nth statement (1 is the first BEGIN) fails, as a connection does that breaks at this point: every later
 * statement on the same client fails too, and the client is never given back. `lost: 'request'` breaks before the
 * server hears of it, `lost: 'answer'` after the server has done it: for a commit, all the difference.
 */
export function failingPool(
  pool: DatabasePool,
  fault: { atStatement: number; lost?: 'request' | 'answer' },
): FailingPool {
  let statements = 0;
  let failed = false;
  const check = () => {
    statements++;
    if (statements !== fault.atStatement) return false;
    failed = true;
    return true;
  };
  const failingQuery = async (run: () => Promise<unknown>) => {
    if (!check()) return run();
    if (fault.lost === 'answer') await run();
    throw new StatementFault(`Statement ${fault.atStatement} fails`);
  };
  return {
    connect: async () => breakable(await pool.connect(), failingQuery),
    query: (config) => failingQuery(() => pool.query(config)) as never,
    close: () => pool.close(),
    statements: () => statements,
    hasFailed: () => failed,
  };
}

function breakable(
  client: PoolClient,
  failingQuery: (run: () => Promise<unknown>) => Promise<unknown>,
): PoolClient {
  let broken = false;
  const query = async (...given: Parameters<PoolClient['query']>) => {
    if (broken) throw new StatementFault('The connection is broken');
    try {
      return await failingQuery(() => client.query(...given) as unknown as Promise<unknown>);
    } catch (error) {
      broken ||= error instanceof StatementFault;
      throw error;
    }
  };
  return {
    // pg's many overloads cannot be written as one function; callers await promises only.
    query: query as never,
    release: (error) => client.release(broken ? true : error),
  };
}
