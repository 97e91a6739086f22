import { performance } from 'node:perf_hooks';
import v8 from 'node:v8';
import vm from 'node:vm';
import { createKeepAliveClient, toRequest } from './keep-alive-client.ts';

export type Call = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The only right body. */
  readonly expected: string;
  /** Told apart in the outcome. */
  readonly isPrivileged?: boolean;
};

export type LoadOutcome = {
  /** Milliseconds of every call that was answered, sorted. */
  readonly latencies: Float64Array;
  /** Those of privileged calls among them. */
  readonly privileged: Float64Array;
  readonly calls: number;
  /** No answer within the time limit, a broken connection, or a status other than 200. */
  readonly errors: number;
  /** Answers with another body than expected. */
  readonly wrong: number;
  readonly firstError: string | undefined;
};

type Prepared = Call & { readonly request: Buffer };

const timeoutMs = 10_000;
const progressSeconds = 5;
/** What a timer may be late by. */
const timerMs = 1.2;
/** Above, spinning would take more of the core that the database needs. */
const spunRateMax = 200;

/**
 * Sends calls at a fixed rate whether or not earlier ones were answered, and measures each from the moment it was due:
 * a server that stalls is charged for everyone who had to wait (no coordinated omission).
 */
export async function runOpenLoop(options: {
  readonly base: string;
  readonly rate: number;
  readonly seconds: number;
  nextCall(): Call;
  /** Every `progressSeconds`, with the latencies answered since the last time. */
  onProgress?(second: number, since: { latencies: Float64Array; errors: number; wrong: number }): void;
}): Promise<LoadOutcome> {
  const total = Math.round(options.rate * options.seconds);
  // Made before: the generator shares the machine, and what it does meanwhile is charged to the server.
  const calls = Array.from({ length: total }, () => {
    const call = options.nextCall();
    return { ...call, request: toRequest(options.base, call) };
  });
  collectGarbage();
  const client = createKeepAliveClient(options.base, timeoutMs);
  const latencies: number[] = [];
  const privileged: number[] = [];
  const pending = new Set<Promise<void>>();
  let errors = 0;
  let wrong = 0;
  let firstError: string | undefined;

  const send = (call: Prepared, dueAt: number) => {
    const sent = client.send(call.request).then((answer) => {
      const latency = performance.now() - dueAt;
      latencies.push(latency);
      if (call.isPrivileged === true) privileged.push(latency);
      if (answer.status !== 200) {
        errors++;
        firstError ??= `${answer.status} ${answer.body}`;
      } else if (answer.body !== call.expected) wrong++;
    });
    const settled = sent
      .catch((error: unknown) => {
        errors++;
        firstError ??= String(error);
      })
      .finally(() => pending.delete(settled));
    pending.add(settled);
  };

  const startedAt = performance.now();
  let second = progressSeconds;
  let reported = 0;
  for (let count = 0; count < total; ) {
    const now = performance.now();
    for (let call = calls[count]; call !== undefined && dueAt(count) <= now; call = calls[++count])
      send(call, dueAt(count));
    if (now - startedAt >= second * 1000) {
      const since = Float64Array.from(latencies.slice(reported)).sort();
      options.onProgress?.(second, { latencies: since, errors, wrong });
      reported = latencies.length;
      second += progressSeconds;
    }
    await waitFor(dueAt(count) - performance.now());
  }
  await Promise.all(pending);
  client.close();
  const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
  const measured = { latencies: sorted(latencies), privileged: sorted(privileged) };
  return { ...measured, calls: total, errors, wrong, firstError };

  function dueAt(count: number): number {
    return startedAt + (count * 1000) / options.rate;
  }

  /** A timer is up to a millisecond late, and lateness is charged to the server: at low rates the rest is spun away. */
  function waitFor(milliseconds: number): Promise<void> {
    const isSpun = milliseconds < timerMs && options.rate <= spunRateMax;
    return new Promise((resolve) => {
      if (isSpun) setImmediate(resolve);
      else setTimeout(resolve, Math.max(0, milliseconds - timerMs));
    });
  }
}

/** Of what preparing the calls left: or it would be collected in the first seconds, and the server charged for it. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
}
