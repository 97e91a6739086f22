import type { Logger } from '../telemetry/index.ts';
import { guardRedis } from './guard-redis.ts';
import type { Redis } from './redis.ts';
import { openUpstashRedis } from './redis.upstash.ts';

export type RedisLocation = { readonly url: string | undefined; readonly token: string | undefined };

/** A healthy Redis answers in one or two milliseconds; beyond this it is not worth a caller's time. */
const deadlineMs = 20;

/** Undefined where none is configured: each instance then counts for itself. */
export function openRedis({ url, token }: RedisLocation, { logger }: { logger: Logger }): Redis | undefined {
  if (url === undefined || token === undefined) return undefined;
  return guardRedis(openUpstashRedis({ url, token }, { deadlineMs }), {
    onAway: (error) => {
      // Threat: an error page that repeats what it was sent would bring the token into the log.
      const reason = reasonOf(error).replaceAll(token, '[token]');
      logger.warn({ reason }, 'Redis is away; limits are counted by each instance alone');
    },
    onBack: () => logger.info({}, 'Redis is back; limits are counted together'),
  });
}

/** A stack would show where a limit is asked for, which says nothing about Redis. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
