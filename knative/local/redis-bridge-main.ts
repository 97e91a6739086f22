import { bridgeSettings } from './redis.ts';
import { startRedisBridge } from './redis-bridge.ts';

/** The bridge as a process of its own; prints its address when it answers. Started by `startRedis`. */
const { url } = await startRedisBridge(JSON.parse(process.env[bridgeSettings] ?? '{}'));
process.stdout.write(`${url}\n`);
