import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

export type GuardedProcessOptions = {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** Run as this user; only root may ask. */
  user?: { uid: number; gid: number };
  stopSignal: 'SIGINT' | 'SIGTERM';
  /** Removed after the process has ended, also when we were killed. */
  removeDirectory?: string;
  onLine(line: string): void;
};

export type GuardedProcess = {
  readonly pid: number;
  /** Resolves with a description of the end: `exit code 1` or `signal SIGKILL`. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
};

const graceSeconds = 20;

/**
 * Waits on its standard input. A word means we stopped the process ourselves; end of file means we died, however
 * that happened, so it stops the process and removes its directory in our place.
 */
const guardScript = `
read -r word && exit 0
kill -s "$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt ${graceSeconds * 10} ]; do sleep 0.1; tries=$((tries + 1)); done
kill -s KILL "$1" 2>/dev/null
[ -z "$3" ] || rm -rf -- "$3"
`;

/**
 * Starts a server that must not outlive this process. No signal handler is installed, so that nobody's Ctrl-C
 * is hijacked: a guard, one small shell in a session of its own, notices our death by its closed pipe. The server too
 * has its own session, so that Ctrl-C reaches us alone and servers stop in the order we choose.
 */
export function spawnGuarded(options: GuardedProcessOptions): GuardedProcess {
  const child = spawn(options.command, options.args, {
    env: options.env,
    cwd: options.cwd ?? '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...options.user,
  });
  const ended = endOf(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', options.onLine);
  }
  if (child.pid === undefined) return { pid: -1, ended, stop: async () => {} };
  const guard = startGuard(child.pid, options);
  const stop = async () => {
    child.kill(options.stopSignal);
    const graceOver = new AbortController();
    const late = pause(graceSeconds * 1000, 'late', { signal: graceOver.signal }).catch(() => 'ended');
    if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL');
    graceOver.abort();
    await ended;
    await guard.dismiss();
  };
  return { pid: child.pid, ended, stop };
}

/** Keeps the newest lines of a server's output, for the message of a start that failed. */
export function keepLast(lines: string[], line: string): void {
  lines.push(line);
  lines.splice(0, lines.length - 20);
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = await once(child, 'close');
    return code === null ? `signal ${signal}` : `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function startGuard(pid: number, options: GuardedProcessOptions): { dismiss(): Promise<void> } {
  const guard = spawn(
    '/bin/sh',
    ['-c', guardScript, 'guard', String(pid), options.stopSignal.slice(3), options.removeDirectory ?? ''],
    { cwd: '/', stdio: ['pipe', 'ignore', 'ignore'], detached: true },
  );
  guard.unref();
  const ended = endOf(guard);
  return {
    dismiss: async () => {
      guard.ref();
      guard.stdin.on('error', () => {});
      guard.stdin.end('stopped\n');
      await ended;
    },
  };
}
