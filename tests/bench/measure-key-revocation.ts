import { startRedis } from '../../knative/local/redis.ts';
import { findRedis } from '../../knative/local/redis-program.ts';
import { absent, type BenchOptions, type BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { type KeyOffice, openKeyOffice } from './key-office.ts';
import { percentile } from './latency.ts';
import { heldKey, timeToRefusal } from './time-to-refusal.ts';

const warmProcesses = 3;

/**
 * From the admin function's answer to a revocation until each of three warm instances of authorize refuses the key: with
 * Redis, and again after Redis has been killed under them.
 */
export async function measureKeyRevocation(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  if ((await findRedis()) === undefined) return [absent('revocation with Redis', 'no redis-server here')];
  const redis = await startRedis();
  const env = { REDIS_URL: redis.url, REDIS_TOKEN: redis.token };
  const [admin, ...warm] = await Promise.all([
    scene.startAdmin(env),
    ...Array.from({ length: warmProcesses }, () => scene.startAuthorize(env)),
  ]);
  const office = await openKeyOffice(scene, admin.base);
  const bases = warm.map(({ base }) => base);
  const times = options.quick ? 20 : 300;
  options.progress(`Revoking ${times} keys with Redis, and ${times} without`);
  const up = await repeat(times, () => revokeHeld(office, bases));
  await redis.stop();
  const down = await repeat(times, () => revokeHeld(office, bases));
  await Promise.all([admin, ...warm].map(({ stop }) => stop()));
  return [
    { name: 'revoke to refusal, p50', value: percentile(up, 50), unit: 'ms' },
    { name: 'revoke to refusal, p99', value: percentile(up, 99), unit: 'ms', boundMax: 250 },
    { name: 'revoke to refusal with Redis down, p99', value: percentile(down, 99), unit: 'ms' },
    {
      name: 'revoke to refusal with Redis down, max',
      value: percentile(down, 100),
      unit: 'ms',
      boundMax: 1_000,
    },
  ];
}

async function revokeHeld(office: KeyOffice, bases: readonly string[]): Promise<number> {
  const key = await office.issue();
  const question = { text: key.text, body: office.question };
  return timeToRefusal(
    bases,
    heldKey(question, () => office.revoke(key)),
  );
}

async function repeat(times: number, work: () => Promise<number>): Promise<Float64Array> {
  const delays: number[] = [];
  for (let n = 0; n < times; n++) delays.push(await work());
  return Float64Array.from(delays).sort();
}
