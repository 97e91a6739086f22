import { join } from 'node:path';
import { spawnGuarded } from '../../knative/local/guarded-process.ts';

export type FunctionProcess = { readonly base: string; readonly pid: number; stop(): Promise<void> };

const root = join(import.meta.dirname, '../..');
const startTimeoutMs = 30_000;

/**
 * A function as it is deployed: its composition root in a process of its own, on a port the system chose. `program`:
 * another than the source, such as a bundle of it.
 */
export async function startFunctionProcess(
  name: string,
  env: Readonly<Record<string, string>>,
  program = join(root, `functions/${name}/index.ts`),
): Promise<FunctionProcess> {
  const lines: string[] = [];
  const listening = Promise.withResolvers<number>();
  const child = spawnGuarded({
    command: process.execPath,
    args: [program],
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', PORT: '0', ...env },
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      const port = /"port":(\d+).*"Listening"/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    },
  });
  const early = child.ended.then((end) => Promise.reject(new Error(`${name}: ${end}\n${lines.join('\n')}`)));
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
