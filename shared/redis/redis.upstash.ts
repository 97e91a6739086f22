import { createHmac } from 'node:crypto';
import { Redis as UpstashRedis } from '@upstash/redis';
import { type Redis, type RedisScript, RedisUnavailableError } from './redis.ts';

export type UpstashLocation = { readonly url: string; readonly token: string };

/**
 * Redis over Upstash's REST protocol. The token also keys the names of keys, so that all instances agree on them and a
 * new token merely forgets what was counted.
 */
export function openUpstashRedis({ url, token }: UpstashLocation, options: { deadlineMs: number }): Redis {
  const client = new UpstashRedis({
    url,
    token,
    // `retry: false` of 1.39 still sends a second time, and what is sent twice is counted twice.
    retry: { retries: 0 },
    // As a function: with a signal in its place the client answers an abort as if it were a result.
    signal: () => AbortSignal.timeout(options.deadlineMs),
    keepAlive: true,
    // Nothing leaves us but what is asked; a number stays the number that Redis sent.
    enableTelemetry: false,
    automaticDeserialization: false,
    enableAutoPipelining: false,
    readYourWrites: false,
    responseEncoding: false,
  });
  return {
    evaluate: async (script, keys, args) => available(evaluate(client, script, [...keys], [...args])),
    ping: async () => {
      const answer = await available(client.ping());
      if (answer !== 'PONG') throw new RedisUnavailableError('Redis did not answer a ping as Redis does');
    },
    keyOf: (space, text) =>
      `uos:${space}:${createHmac('sha256', token).update(text).digest('base64url').slice(0, 22)}`,
  };
}

/** By digest; with the source once more for a Redis that has not seen it, or has been started anew. */
async function evaluate(client: UpstashRedis, script: RedisScript, keys: string[], args: string[]) {
  try {
    return await client.evalsha<string[], unknown>(script.sha1, keys, args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
    return client.eval<string[], unknown>(script.source, keys, args);
  }
}

async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new RedisUnavailableError('Redis did not answer', { cause });
  }
}
