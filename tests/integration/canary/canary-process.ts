import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort } from '../../../knative/local/free-port.ts';
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
  const port = await findFreePort();
  const given = { ...(await environmentOf(scene, input.service)), ...input.env, PORT: String(port) };
  const env = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const child = spawnGuarded({
    command: process.execPath,
    args: ['--enable-source-maps', join(projectRoot, 'dist', input.service, 'index.mjs')],
    env,
    cwd: projectRoot,
    stopSignal: 'SIGTERM',
    onLine: (line) => scene.lines.push(`${input.service} ${line}`),
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    const outcome = await Promise.race([isReady(url), child.ended.then(() => 'ended' as const)]);
    if (outcome === 'ready') await use(url);
    return outcome === 'ready' ? 'used' : 'ended';
  } finally {
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

async function isReady(url: string): Promise<'ready' | 'ended'> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const response = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (response?.ok) return 'ready';
    await pause(50);
  }
  return 'ended';
}
