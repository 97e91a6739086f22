import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { spawnGuarded } from './guarded-process.ts';
import type { RedisBridgeOptions } from './redis-bridge.ts';
import { startRedisServer } from './redis-server.ts';

/** A Redis as functions reach it: over REST. */
export type LocalRedis = { readonly url: string; readonly token: string; stop(): Promise<void> };

/** Environment variable by which the bridge gets its settings: what can be read by this user alone. */
export const bridgeSettings = 'REDIS_BRIDGE_SETTINGS';

/**
 * A real Redis and, in a process of its own, the bridge to it: what else this process does must not make Redis look
 * slow.
 */
export async function startRedis(): Promise<LocalRedis> {
  const server = await startRedisServer();
  const { host, port, password } = server;
  const token = randomBytes(24).toString('base64url');
  const settings: RedisBridgeOptions = { redis: { host, port, password }, token };
  const address = Promise.withResolvers<string>();
  const bridge = spawnGuarded({
    command: process.execPath,
    args: [join(import.meta.dirname, 'redis-bridge-main.ts')],
    env: { PATH: process.env['PATH'] ?? '', [bridgeSettings]: JSON.stringify(settings) },
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      if (line.startsWith('http://')) address.resolve(line);
    },
  });
  const stop = async () => {
    await bridge.stop();
    await server.stop();
  };
  void bridge.ended.then((end) => address.reject(new Error(`The bridge to Redis ended with ${end}`)));
  try {
    return { url: await address.promise, token, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
