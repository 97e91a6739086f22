import { NotEvaluatedError } from '../../shared/authorization/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';

/** Thrown at once instead of waiting: the database is slower than questions arrive. */
export class OverloadError extends Error {
  override readonly name = 'OverloadError';
}

/**
 * A pool for reads that a request waits for, with a bounded queue: what could not be answered in time is refused in
 * no time (503), and does not make those behind it late.
 */
export function boundPool(pool: DatabasePool, options: { readonly waitingMax: number }): DatabasePool {
  let waiting = 0;
  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    if (waiting >= options.waitingMax) throw new OverloadError('Too many reads wait for the database');
    waiting++;
    try {
      return await work();
    } finally {
      waiting--;
    }
  }
  return {
    connect: () => bounded(() => pool.connect()),
    query: (config) => bounded(() => pool.query(config)),
    close: () => pool.close(),
  };
}

/** Whether an overload is at the bottom of it, of the database or of the policy's thread, however often it was wrapped. */
export function isOverload(error: unknown): boolean {
  if (error instanceof OverloadError || error instanceof NotEvaluatedError) return true;
  return error instanceof Error && error.cause !== undefined && isOverload(error.cause);
}
