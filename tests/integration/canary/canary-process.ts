import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnGuarded } from '../../../knative/local/guarded-process.ts';
import { projectRoot } from '../../support/run-step.ts';
import type { CanaryScene } from './canary-scene.ts';

/**
 * One more process of a function, with the settings that the platform gave it but for some. What it prints joins the
 * scene's lines. `use` is called when it is ready; a function that ends instead, as some settings make it, has no use.
 */
export async function withFunction(
  scene: CanaryScene,
  input: { service: string; env: Readonly<Record<string, string | undefined>> },
  use: (url: string) => Promise<unknown>,
): Promise<'used' | 'ended'> {
  const given = { ...(await environmentOf(scene, input.service)), ...input.env, PORT: '0' };
  const env = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const listening = Promise.withResolvers<string>();
  const child = spawnGuarded({
    command: process.execPath,
    args: ['--enable-source-maps', join(scene.platform.state.functions, input.service, 'index.mjs')],
    env,
    cwd: projectRoot,
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      scene.lines.push(`${input.service} ${line}`);
      const port = /"port":(\d+).*"Listening"/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(`http://127.0.0.1:${port}`);
    },
  });
  const over = new AbortController();
  try {
    const ready = listening.promise.then((url) => untilReady(url, over.signal));
    ready.catch(() => undefined);
    const url = await Promise.race([ready, child.ended.then(() => undefined)]);
    if (url === undefined) return 'ended';
    await use(url);
    return 'used';
  } finally {
    over.abort();
    await child.stop();
  }
}

async function environmentOf({ platform }: CanaryScene, service: string): Promise<Record<string, string>> {
  const pid = platform.services.get(service)?.pid();
  const text = await readFile(`/proc/${pid}/environ`, 'utf8');
  return Object.fromEntries(
    text.split('\0').flatMap((entry) => {
      const mark = entry.indexOf('=');
      return mark < 0 ? [] : [[entry.slice(0, mark), entry.slice(mark + 1)]];
    }),
  );
}

async function untilReady(url: string, over: AbortSignal): Promise<string> {
  const deadline = AbortSignal.any([over, AbortSignal.timeout(60_000)]);
  for (;;) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.ok) return url;
    deadline.throwIfAborted();
    await pause(50);
  }
}
