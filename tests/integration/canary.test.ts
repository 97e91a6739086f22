import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasGitHttpBackend } from '../../knative/local/git-server.ts';
import { createSecretSearch, type Secret } from '../support/secret-search.ts';
import { collectSecrets, secretKinds } from './canary/canary-kinds.ts';
import { type CanaryScene, canary, startCanaryScene } from './canary/canary-scene.ts';
import { readCommandLines, type Surface, surfaces } from './canary/canary-surfaces.ts';
import { failByCaller, failByDatabase, failByNeighbour, finish, succeed } from './canary/canary-traffic.ts';

// Processes are looked at through /proc, and declarations come from a real Git server.
const isPossible = existsSync('/proc/self/cmdline') && (await hasGitHttpBackend());
const missing = 'The canary needs /proc and git http-backend';
if (!isPossible && process.env['CI'] !== undefined) throw new Error(missing);
if (!isPossible) console.warn(`Skipped: ${missing}`);

const secrets = new Map<string, Secret & { isPersonal: boolean }>();
const planted = { name: 'planted', bytes: Buffer.from(canary()) };
let scene: CanaryScene;

beforeAll(async () => {
  if (!isPossible) return;
  scene = await startCanaryScene();
  const story = await succeed(scene);
  await collectSecrets(scene, secrets);
  await failByCaller(scene, story);
  await failByDatabase(scene, story);
  await failByNeighbour(scene, story);
  await finish(scene, story);
  await collectSecrets(scene, secrets);
  scene.commandLines.push(...(await readCommandLines()));
  await scene.endFunctions();
}, 300_000);
afterAll(() => scene?.close(), 60_000);

async function find(surface: Surface, wanted: readonly Secret[]): Promise<string[]> {
  const search = createSecretSearch(wanted);
  const pieces = await surface.read(scene);
  return pieces.flatMap(({ where, bytes }) =>
    search(bytes).map(({ secret, encoding, place }) => `${secret} as ${encoding} in ${where} at ${place}`),
  );
}

describe.skipIf(!isPossible)('every secret there is', { timeout: 120_000 }, () => {
  test.each(secretKinds)('was met on the way: $kind', ({ kind }) => {
    expect([...secrets.values()].filter(({ name }) => name === kind)).not.toEqual([]);
  });

  test.each(surfaces)('would be found in $name, and is not there', async (surface) => {
    await surface.plant(scene, planted.bytes);
    const wanted = [...secrets.values()].filter(({ isPersonal }) => !(isPersonal && surface.keepsDeadRows));
    const found = await find(surface, [planted, ...wanted]);
    expect(found.filter((text) => text.startsWith('planted'))).not.toEqual([]);
    expect(found.filter((text) => !text.startsWith('planted'))).toEqual([]);
  });
});
