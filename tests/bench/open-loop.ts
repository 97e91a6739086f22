import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

export type Call = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The only right body. */
  readonly expected: string;
};

export type LoadOutcome = {
  /** Milliseconds of every call that was answered, sorted. */
  readonly latencies: Float64Array;
  readonly calls: number;
  /** No answer within the time limit, a broken connection, or a status other than 200. */
  readonly errors: number;
  /** Answers with another body than expected. */
  readonly wrong: number;
  readonly firstError: string | undefined;
};

const timeoutMs = 10_000;
const progressSeconds = 5;

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
  const agent = new Agent({ keepAlive: true, maxSockets: 256, scheduling: 'fifo' });
  const latencies: number[] = [];
  const pending = new Set<Promise<void>>();
  let errors = 0;
  let wrong = 0;
  let firstError: string | undefined;

  const send = (dueAt: number) => {
    const call = options.nextCall();
    const sent = ask(agent, options.base, call).then((answer) => {
      latencies.push(performance.now() - dueAt);
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
    for (; count < total && dueAt(count) <= now; count++) send(dueAt(count));
    if (now - startedAt >= second * 1000) {
      const since = Float64Array.from(latencies.slice(reported)).sort();
      options.onProgress?.(second, { latencies: since, errors, wrong });
      reported = latencies.length;
      second += progressSeconds;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
  agent.destroy();
  return { latencies: Float64Array.from(latencies).sort(), calls: total, errors, wrong, firstError };

  function dueAt(count: number): number {
    return startedAt + (count * 1000) / options.rate;
  }
}

function ask(agent: Agent, base: string, call: Call): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request(`${base}${call.path}`, {
      agent,
      method: 'POST',
      headers: { ...call.headers, 'content-length': Buffer.byteLength(call.body) },
      timeout: timeoutMs,
    });
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      res.on('error', reject);
    });
    req.on('timeout', () => req.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    req.on('error', reject);
    req.end(call.body);
  });
}
