import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../telemetry/index.ts';
import { type DrainReport, drainOutbox, type OutboxDeps } from './drain-outbox.ts';

export type OutboxRelay = {
  /**
   * Resolves when everything committed before the call has been published, by us or by the relay that leads. One
   * drain runs at a time; calls during it share the next. Rejects when the publisher stays down through all retries:
   * nothing is lost, and the next wake tries again.
   */
  drain(): Promise<DrainReport>;
  /** `drain` for callers that nobody waits on: a failure is logged. */
  wake(): void;
  /** Ends retries and waits for the drain under way. */
  close(): Promise<void>;
};

export type OutboxRelayDeps = OutboxDeps & { readonly logger: Logger };
export type RetryPolicy = { readonly attemptsMax: number; readonly firstPauseMs: number };

const defaultRetry: RetryPolicy = { attemptsMax: 7, firstPauseMs: 100 };
const pauseMsMax = 5_000;

export function createOutboxRelay(deps: OutboxRelayDeps, retry: RetryPolicy = defaultRetry): OutboxRelay {
  const closing = new AbortController();
  let running: Promise<DrainReport> | undefined;
  let following: Promise<DrainReport> | undefined;

  const start = async () => {
    try {
      return await drainPatiently(deps, retry, closing.signal);
    } finally {
      running = undefined;
    }
  };
  const drain = (): Promise<DrainReport> => {
    if (running === undefined) {
      running = start();
      return running;
    }
    // What was committed after the running drain last looked is the next one's.
    following ??= running
      .catch(() => undefined)
      .then(() => {
        following = undefined;
        return drain();
      });
    return following;
  };
  return {
    drain,
    wake: () => {
      if (closing.signal.aborted) return;
      drain().catch((error: unknown) => deps.logger.error({ error }, 'The outbox was not drained'));
    },
    close: async () => {
      closing.abort();
      await Promise.allSettled([running, following]);
    },
  };
}

async function drainPatiently(
  deps: OutboxRelayDeps,
  retry: RetryPolicy,
  closing: AbortSignal,
): Promise<DrainReport> {
  for (let attempt = 1; ; attempt++) {
    try {
      const report = await drainOutbox(deps);
      if (report.published > 0) deps.logger.debug(report, 'Outbox drained');
      return report;
    } catch (error) {
      if (attempt >= retry.attemptsMax || closing.aborted) throw error;
      deps.logger.warn({ error, attempt }, 'The outbox could not be published; it is tried again');
      const pauseMs = Math.min(retry.firstPauseMs * 2 ** (attempt - 1), pauseMsMax);
      await pause(pauseMs, undefined, { signal: closing }).catch(() => undefined);
    }
  }
}
