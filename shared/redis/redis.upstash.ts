import { createHmac } from 'node:crypto';
import { Redis as UpstashRedis } from '@upstash/redis';
import { DeadlineError } from '../kernel/index.ts';
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
    signal: () => startDeadline(options.deadlineMs).signal,
    keepAlive: true,
    // Nothing leaves us but what is asked; a number stays the number that Redis sent.
    enableTelemetry: false,
    automaticDeserialization: false,
    // What is asked in one turn goes as one request: a request costs more than all that is in it.
    enableAutoPipelining: true,
    readYourWrites: false,
    responseEncoding: false,
  });
  return {
    evaluate: async (script, keys, args) => {
      const deadline = startDeadline(options.deadlineMs);
      const answer = evaluate(client, script, { keys: [...keys], args: [...args], deadline });
      return available(answer.finally(deadline.stop));
    },
    ping: async () => {
      const answer = await available(client.ping());
      if (answer !== 'PONG') throw new RedisUnavailableError('Redis did not answer a ping as Redis does');
    },
    keyOf: (space, text) =>
      `uos:${space}:${createHmac('sha256', token).update(text).digest('base64url').slice(0, 22)}`,
  };
}

const deadlineSteps = 4;

type Deadline = { readonly signal: AbortSignal; stop(): void };

/**
 * In steps, so that a stall of our own, in which no answer is read, counts as one of them. A single timer would fire
 * before the answers that came meanwhile are read, and Redis would be thought slow whenever we are.
 */
function startDeadline(deadlineMs: number): Deadline {
  const controller = new AbortController();
  let stepsLeft = deadlineSteps;
  let timer: NodeJS.Timeout | undefined;
  const step = () => {
    if (stepsLeft-- > 0) timer = setTimeout(step, deadlineMs / deadlineSteps).unref();
    else controller.abort(new DeadlineError(`Redis did not answer within ${deadlineMs} ms`));
  };
  step();
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}

type Call = { readonly keys: string[]; readonly args: string[]; readonly deadline: Deadline };

/** By digest; with the source once more for a Redis that has not seen it, or has been started anew. */
async function evaluate(client: UpstashRedis, script: RedisScript, { keys, args, deadline }: Call) {
  try {
    return await client.evalsha<string[], unknown>(script.sha1, keys, args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
    // Two requests of one call: the client would give each the whole time.
    return within(deadline.signal, client.eval<string[], unknown>(script.source, keys, args));
  }
}

function within<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    answer.then(resolve, reject);
  });
}

async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new RedisUnavailableError('Redis did not answer', { cause });
  }
}
