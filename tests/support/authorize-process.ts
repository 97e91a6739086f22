import { join } from 'node:path';
import { spawnGuarded } from '../../knative/local/guarded-process.ts';

export type AuthorizeProcess = { readonly base: string; readonly pid: number; stop(): Promise<void> };

export type AuthorizeProcessOptions = {
  readonly databaseUrl: string;
  readonly wrappingKeyFile: string;
  /** Where decision records go. */
  readonly objectDirectory: string;
  readonly env?: Readonly<Record<string, string>>;
};

const root = join(import.meta.dirname, '../..');
const startTimeoutMs = 30_000;

/** The function as it is deployed: its composition root in a process of its own, on a port the system chose. */
export async function startAuthorizeProcess(options: AuthorizeProcessOptions): Promise<AuthorizeProcess> {
  const lines: string[] = [];
  const listening = Promise.withResolvers<number>();
  const child = spawnGuarded({
    command: process.execPath,
    args: [join(root, 'functions/authorize/index.ts')],
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      DATABASE_URL: options.databaseUrl,
      WRAPPING_KEY_FILE: options.wrappingKeyFile,
      OBJECT_STORE_URL: `file://${options.objectDirectory}`,
      ISSUER_URL: 'https://token.example.test',
      AUDIENCE: 'https://api.example.test',
      PUBLIC_URL: 'https://authorize.example.test',
      PORT: '0',
      ...options.env,
    },
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      const port = /"port":(\d+).*"Listening"/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    },
  });
  const early = child.ended.then((end) =>
    Promise.reject(new Error(`authorize: ${end}\n${lines.join('\n')}`)),
  );
  const port = await Promise.race([listening.promise, early]);
  early.catch(() => undefined);
  const base = `http://127.0.0.1:${port}`;
  await waitUntilReady(base);
  return { base, pid: child.pid, stop: child.stop };
}

async function waitUntilReady(base: string): Promise<void> {
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while ((await fetch(`${base}/health/ready`)).status !== 200) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
