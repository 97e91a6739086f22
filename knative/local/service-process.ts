import { setTimeout as pause } from 'node:timers/promises';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';

export type ServiceProcessOptions = {
  readonly name: string;
  readonly script: string;
  /** As a container's working directory: the policy bundle is found from here. */
  readonly workingDirectory: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
};

/** One Service as one process, started again whenever it ends unasked, as a kubelet does. */
export type ServiceProcess = {
  readonly name: string;
  readonly url: string;
  pid(): number;
  /** Resolves once the function says it is ready. */
  ready(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
};

const restartMsMax = 5_000;

export function startService(options: ServiceProcessOptions): ServiceProcess {
  const url = `http://127.0.0.1:${options.port}`;
  let isStopping = false;
  let current = spawn(options);
  const supervised = supervise();

  async function supervise(): Promise<void> {
    for (let failures = 0; ; ) {
      const startedAt = Date.now();
      const end = await current.ended;
      if (isStopping) return;
      failures = Date.now() - startedAt > 10_000 ? 0 : failures + 1;
      options.onLine(`ended with ${end}; it is started again`);
      await current.stop();
      // The first restart is immediate; one that keeps failing is slowed down.
      await pause(Math.min(100 * 2 ** (failures - 1), restartMsMax));
      if (isStopping) return;
      current = spawn(options);
    }
  }

  return {
    name: options.name,
    url,
    pid: () => current.pid,
    ready: (timeoutMs) => waitUntilReady(options.name, url, timeoutMs),
    stop: async () => {
      isStopping = true;
      await current.stop();
      await supervised;
    },
  };
}

function spawn(options: ServiceProcessOptions): GuardedProcess {
  return spawnGuarded({
    command: process.execPath,
    // kafkajs sets timers in the past (tulios/kafkajs issue 1751), which Node reports on each start.
    args: ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning', options.script],
    env: {
      ...options.env,
      PORT: String(options.port),
      K_SERVICE: options.name,
      NODE_ENV: 'production',
      PATH: process.env['PATH'] ?? '',
    },
    cwd: options.workingDirectory,
    stopSignal: 'SIGTERM',
    onLine: options.onLine,
  });
}

async function waitUntilReady(name: string, url: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (let last = 'no answer'; ; ) {
    try {
      const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
      if (response.ok) return;
      last = `status ${response.status}`;
    } catch {
      last = 'no answer';
    }
    if (Date.now() > deadline) throw new Error(`${name} was not ready within ${timeoutMs / 1000} s: ${last}`);
    await pause(30);
  }
}
