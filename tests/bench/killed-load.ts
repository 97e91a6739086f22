import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { FunctionProcess } from '../support/function-process.ts';
import { runArrivals } from './arrivals.ts';
import { createKeepAliveClient, type Reply, toRequest } from './keep-alive-client.ts';
import type { Call } from './open-loop.ts';

export type KilledCall = Call & { readonly requestId: string };

/** What was answered, and how long before the kill; less than nothing: it was still on its way to us. */
export type Answered<T> = { readonly call: T; readonly reply: Reply; readonly ageMs: number };

const timeoutMs = 10_000;
/** What was written before the kill is read by then. */
const afterMs = 500;
/** Of the wait for the answer that the kill follows. */
const momentMs = 250;

export type KilledLoad<T> = {
  readonly rate: number;
  readonly killAfterMs: number;
  nextCall(): T;
  /** The kill then follows the next such answer at once: the worst moment there is. */
  isMoment?(call: T, reply: Reply): boolean;
};

/** Asks at a fixed rate and kills the process meanwhile, as a machine that fails does. */
export async function runKilledLoad<T extends KilledCall>(
  { base, pid }: FunctionProcess,
  { rate, killAfterMs, nextCall, isMoment }: KilledLoad<T>,
): Promise<readonly Answered<T>[]> {
  const seconds = (killAfterMs + momentMs + afterMs) / 1000;
  const calls = Array.from({ length: Math.round(rate * seconds) }, nextCall);
  const requests = calls.map((call) =>
    toRequest(base, { ...call, headers: { ...call.headers, 'x-request-id': call.requestId } }),
  );
  const client = createKeepAliveClient(base, timeoutMs);
  const over = Promise.withResolvers<undefined>();
  const answered: { call: T; reply: Reply; at: number }[] = [];
  let isDue = false;
  let killedAt: number | undefined;
  const kill = () => {
    if (killedAt !== undefined) return;
    killedAt = performance.now();
    process.kill(pid, 'SIGKILL');
  };
  const work = async (count: number) => {
    const [call, request] = [calls[count], requests[count]];
    if (call === undefined || request === undefined) return;
    // Whoever gets no answer was promised nothing.
    const reply = await Promise.race([client.send(request).catch(() => undefined), over.promise]);
    if (reply === undefined) return;
    if (isDue && isMoment?.(call, reply) === true) kill();
    answered.push({ call, reply, at: performance.now() });
  };
  const asked = runArrivals({ rate, seconds, work });
  await pause(killAfterMs);
  isDue = true;
  if (isMoment !== undefined) await pause(momentMs);
  kill();
  await pause(afterMs);
  client.close();
  // What waits for a connection waits in vain.
  over.resolve(undefined);
  await asked;
  return answered.map(({ call, reply, at }) => ({ call, reply, ageMs: (killedAt ?? at) - at }));
}
