import { once } from 'node:events';
import { createServer } from 'node:net';
import { type GuardedProcess, spawnGuarded } from '../../../knative/local/guarded-process.ts';
import type { PolicyInput } from '../../../shared/authorization/index.ts';
import { cores, type LoadTarget } from '../load-tools.ts';

/** One question with everything its answer rests on, in the forms of several servers. */
export type PeerQuestion = {
  readonly input: PolicyInput;
  /** AuthZEN. */
  readonly request: object;
  readonly directory: string;
};

export type RunningPeer = { readonly target: LoadTarget; readonly pid: number; stop(): Promise<void> };

export type Peer = {
  readonly name: string;
  /** How many times its throughput ours has to be. */
  readonly timesMin: number;
  /** Undefined when it cannot be had on this machine. */
  start(question: PeerQuestion): Promise<RunningPeer | undefined>;
};

/** On the server's core alone, with one thread of Go code. */
export function spawnPinned(command: string, args: readonly string[], cwd = '/'): GuardedProcess {
  return spawnGuarded({
    command: 'taskset',
    args: ['-c', cores.server, command, ...args],
    cwd,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', GOMAXPROCS: '1', HOME: cwd },
    stopSignal: 'SIGTERM',
    onLine: () => {},
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

export async function untilAnswers(url: string): Promise<void> {
  const deadline = AbortSignal.timeout(30_000);
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function postJson(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
