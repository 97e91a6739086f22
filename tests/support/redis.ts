import { randomBytes } from 'node:crypto';
import { type RedisBridge, startRedisBridge } from '../../knative/local/redis-bridge.ts';
import { findRedis, type RedisServer, startRedisServer } from '../../knative/local/redis-server.ts';

/** Whether a real Redis can be had here; in CI it must be. */
export const hasRedis = (await findRedis()) !== undefined;

export type TestRedis = {
  readonly server: RedisServer;
  readonly bridge: RedisBridge;
  /** The same address and password, with nothing remembered. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

/** A real redis-server of the test's own behind the REST bridge. */
export async function startTestRedis(): Promise<TestRedis> {
  let server = await startRedisServer();
  const bridge = await startRedisBridge({ redis: server, token: randomBytes(16).toString('hex') });
  return {
    bridge,
    get server() {
      return server;
    },
    restart: async () => {
      await server.stop();
      server = await startRedisServer({ port: server.port, password: server.password });
    },
    close: async () => {
      await bridge.close();
      await server.stop();
    },
  };
}

/** One command over REST, as anything that speaks the protocol would send it. */
export async function askRedis(bridge: RedisBridge, command: readonly (string | number)[]): Promise<unknown> {
  const response = await fetch(bridge.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${bridge.token}` },
    body: JSON.stringify(command),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: string };
  if (error !== undefined) throw new Error(error);
  return result;
}
