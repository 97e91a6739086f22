import { DeadlineError } from './deadline.ts';

/** Connections: refused, cut, not found, timed out. PostgreSQL: classes 08 and 53, shutdown, and its own time limits. */
const transientCodes =
  /^(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|08...|53...|57P0[1-5]|57014|55P03|40001|40P01)$/;
const causesMax = 5;

/**
 * Whether trying again later may help: a part we stand on is away or busy. Read from error codes alone, through
 * `cause`, never from a message.
 */
export function isTransientError(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < causesMax && current instanceof Error; depth++) {
    if (current instanceof DeadlineError) return true;
    if ('code' in current && typeof current.code === 'string' && transientCodes.test(current.code))
      return true;
    current = current.cause;
  }
  return false;
}
