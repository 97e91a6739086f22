import type { EventPublisher } from '../events/index.ts';
import { type Clock, type Random, withDeadline } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type NotedUse, toMessages } from './used-messages.ts';

/**
 * When each key was last used, kept in memory by whoever proves keys and published about once a minute: a write for
 * each request would be the hottest row of the database. Best effort: what a killed process noted since its last
 * flush is lost, and so is what is noted beyond the bound while nothing can be published.
 */
export type ApiKeyUseRecorder = {
  /** On the path of every request: remembers, and does nothing else. */
  note(organizationId: string, keyId: string): void;
  /** Publishes what was noted. Never rejects: what was not taken is kept for the next time. */
  flush(): Promise<void>;
  /** Flushes, for a few seconds at most. */
  close(): Promise<void>;
};

/** For a function without a publisher: nobody learns when its keys were used. */
const noApiKeyUseRecorder: ApiKeyUseRecorder = {
  note: () => undefined,
  flush: async () => undefined,
  close: async () => undefined,
};

export type ApiKeyUseRecorderDeps = {
  readonly publisher: EventPublisher;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the events: `uos/<function>`. */
  readonly source: string;
  readonly logger: Logger;
};

/** The recorder to where a URL of the configuration names, or nowhere. */
export function openApiKeyUseRecorder(
  url: string | undefined,
  { open, ...deps }: Omit<ApiKeyUseRecorderDeps, 'publisher'> & { open(url: string): EventPublisher },
): ApiKeyUseRecorder {
  return url === undefined ? noApiKeyUseRecorder : createApiKeyUseRecorder({ ...deps, publisher: open(url) });
}

const periodMs = 60_000;
const closeTimeoutMs = 5_000;
/** About 150 bytes each. */
const keysMaxDefault = 100_000;
/** Events are made and sent in portions: a flush of 100,000 keys then holds a request up for 25 ms, not 250. */
const portionMax = 100;

export function createApiKeyUseRecorder(
  deps: ApiKeyUseRecorderDeps,
  { keysMax = keysMaxDefault }: { readonly keysMax?: number } = {},
): ApiKeyUseRecorder {
  const noted = new Map<string, NotedUse>();
  let dropped = 0;
  let flushing: Promise<void> | undefined;

  function keep(use: NotedUse): void {
    if (noted.size < keysMax || noted.has(use.keyId)) noted.set(use.keyId, use);
    else dropped++;
  }
  async function send(): Promise<void> {
    const taken = [...noted.values()];
    noted.clear();
    const events = toMessages(deps, taken);
    for (let portion = take(events, portionMax); portion.length > 0; portion = take(events, portionMax)) {
      try {
        await deps.publisher.publish(portion.map(({ message }) => message));
      } catch (error) {
        const unsent = [...portion, ...events].flatMap(({ uses }) => uses);
        // A later use of the same key may have been noted meanwhile.
        for (const use of unsent) if (!noted.has(use.keyId)) keep(use);
        deps.logger.warn({ error, waiting: noted.size, dropped }, 'The last use of keys was not published');
      }
    }
  }
  function flush(): Promise<void> {
    flushing ??= send().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }
  const timer = setInterval(() => void flush(), periodMs);
  timer.unref();
  return {
    note: (organizationId, keyId) => keep({ organizationId, keyId, usedAt: deps.clock.now() }),
    flush,
    close: async () => {
      clearInterval(timer);
      try {
        await withDeadline({ what: 'The last use of keys', timeoutMs: closeTimeoutMs }, async () => {
          await flushing;
          await flush();
          await deps.publisher.close();
        });
      } catch (error) {
        deps.logger.warn({ error, waiting: noted.size, dropped }, 'The last use of keys was not published');
      }
    },
  };
}

function take<Item>(items: Iterator<Item>, count: number): Item[] {
  const taken: Item[] = [];
  while (taken.length < count) {
    const next = items.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
