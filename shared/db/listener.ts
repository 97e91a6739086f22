import pg from 'pg';
import type { Clock } from '../kernel/index.ts';

export type ListenerOptions = {
  readonly url: string;
  readonly applicationName: string;
  readonly channels: readonly string[];
  readonly clock: Clock;
  /** Called for each notification, in commit order. */
  readonly onNotification: (channel: string, payload: string) => void;
  /** Called after each (re)connection, when all channels are listened to: whatever was missed before must be dropped. */
  readonly onConnected?: () => void;
  readonly onError?: (error: Error) => void;
  readonly heartbeatMs?: number;
};

export type Listener = {
  /**
   * The latest instant up to which no notification can be missing: when the last answered heartbeat was SENT.
   * PostgreSQL delivers pending notifications before it answers a later query on the same connection.
   * Undefined until the feed is live, and again while it is not.
   */
  freshAsOf(): Date | undefined;
  close(): Promise<void>;
};

/** LISTEN on a connection of its own, reconnecting for ever with bounded backoff, with a heartbeat. */
export function listen(options: ListenerOptions): Listener {
  const heartbeatMs = options.heartbeatMs ?? 250;
  let client: pg.Client | undefined;
  let freshAsOf: Date | undefined;
  let closed = false;
  let failures = 0;
  let wake: (() => void) | undefined;

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function connectAndBeat(): Promise<void> {
    client = new pg.Client({
      connectionString: options.url,
      application_name: options.applicationName,
      connectionTimeoutMillis: 3_000,
      query_timeout: 3_000,
      keepAlive: true,
    });
    client.on('notification', (message) => options.onNotification(message.channel, message.payload ?? ''));
    client.on('error', report);
    await client.connect();
    for (const channel of options.channels) await client.query(`listen ${client.escapeIdentifier(channel)}`);
    failures = 0;
    options.onConnected?.();
    while (!closed) {
      const sent = options.clock.now();
      await client.query('select 1');
      freshAsOf = sent;
      await pause(heartbeatMs);
    }
  }

  async function keepAlive(): Promise<void> {
    while (!closed) {
      await connectAndBeat().catch(report);
      freshAsOf = undefined;
      await client?.end().catch(() => undefined);
      failures += 1;
      if (!closed) await pause(Math.min(50 * 2 ** Math.min(failures, 6), 2_000));
    }
  }

  /** An error while closing is the close itself. */
  function report(error: unknown): void {
    if (!closed) options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }

  const running = keepAlive();
  return {
    freshAsOf: () => freshAsOf,
    close: async () => {
      closed = true;
      wake?.();
      await client?.end().catch(() => undefined);
      await running;
    },
  };
}
