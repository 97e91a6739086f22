import { hash } from 'node:crypto';

/**
 * A Redis that may be away. The contract, for every implementation:
 * - A call ends within the deadline it was opened with, and is sent at most once: what it counts is counted once.
 * - Whatever hinders an answer (slow, down, refused, nonsense) is a `RedisUnavailableError`.
 */
export type Redis = {
  /** Runs the script as one step, in one request once Redis knows it. */
  evaluate(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  ping(): Promise<void>;
  /** The key for `text`: of fixed length, and in a copy of Redis nobody can tell which text it was. */
  keyOf(space: string, text: string): string;
};

/** Lua source with the digest that Redis knows it by. */
export type RedisScript = { readonly source: string; readonly sha1: string };

export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

export function redisScript(source: string): RedisScript {
  return { source, sha1: hash('sha1', source) };
}
