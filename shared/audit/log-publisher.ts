import { setTimeout as pause } from 'node:timers/promises';
import { withSystem } from '../db/index.ts';
import { type Clock, startWorkSlice } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { LogName } from './audit-log.ts';
import { type PublishLogDeps, publishLog } from './publish-log.ts';

/** Publishes logs behind the appends that made them grow. What it loses or cannot do, the next sweep finds. */
export type LogPublisher = {
  /** Soon, together with all that is appended meanwhile. Failures are logged. */
  request(name: LogName): void;
  /**
   * Every log whose files trail its head, of all organizations. Resolves with how many were brought up to date. Calls
   * during one share it: anybody may send ticks, and behind a slow object store they pile up.
   */
  sweep(): Promise<number>;
  /** Finishes what was requested. */
  close(): Promise<void>;
};

export type LogPublisherDeps = PublishLogDeps & { readonly clock: Clock; readonly logger: Logger };

/** One bundle, one tile and one checkpoint are rewritten each time, so a busy log is published in strides. */
const strideMs = 100;
const sweepMax = 100;
/** What is left is the next sweep's. A tick seals decisions for 25 s before this, and the next comes after 30. */
const sweepSeconds = 5;

export function createLogPublisher(deps: LogPublisherDeps): LogPublisher {
  const wanted = new Map<string, LogName>();
  const running = new Map<string, Promise<void>>();
  const closing = new AbortController();
  let sweeping: Promise<number> | undefined;

  const run = async (key: string) => {
    for (let name = wanted.get(key); name !== undefined; name = wanted.get(key)) {
      wanted.delete(key);
      await publish(deps, name);
      await pause(strideMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    running.delete(key);
  };
  return {
    request: (name) => {
      const key = `${name.organizationId}/${name.day}`;
      wanted.set(key, name);
      if (!running.has(key)) running.set(key, run(key));
    },
    sweep: () => {
      sweeping ??= publishTrailing(deps).finally(() => {
        sweeping = undefined;
      });
      return sweeping;
    },
    close: async () => {
      closing.abort();
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

async function publishTrailing(deps: LogPublisherDeps): Promise<number> {
  const names = await withSystem(deps.pool, (tx) => deps.store.listUnpublished(tx, sweepMax));
  const slice = startWorkSlice(deps.clock, sweepSeconds);
  let published = 0;
  for (const name of names) {
    if (slice.isOver()) break;
    if (await slice.step(() => publish(deps, name))) published++;
  }
  return published;
}

async function publish(deps: LogPublisherDeps, name: LogName): Promise<boolean> {
  try {
    return await publishLog(deps, name);
  } catch (error) {
    deps.logger.error({ error, orgId: name.organizationId, day: name.day }, 'A log was not published');
    return false;
  }
}
