import type { Server } from 'node:http';
import type { Logger } from '../telemetry/index.ts';

export type ServeOptions = {
  readonly port: number;
  readonly host?: string;
  /** Ends the wait for open requests. Below the 60 s that the cluster gives after SIGTERM. */
  readonly drainTimeoutMs?: number;
  /** Closed in order, after the last request: pools, feeds, buffers. */
  readonly closers?: readonly (() => Promise<unknown>)[];
};

export type Served = { readonly port: number; close(): Promise<void> };

/** Listens. `close` stops accepting, finishes open requests and closes what is named; asked twice, it is the same close. */
export async function serve(logger: Logger, server: Server, options: ServeOptions): Promise<Served> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= drain(logger, server, options);
    return closing;
  };
  logger.info({ port }, 'Listening');
  return { port, close };
}

/** Ends the process on SIGTERM or SIGINT, after `close`. The framework's own handler would answer 500 to open requests. */
export function stopOnSignal(logger: Logger, served: Served): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'Stopping');
      void served.close().then(() => process.exit(0));
    });
  }
}

async function drain(logger: Logger, server: Server, options: ServeOptions): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection that is open but idle would hold close() for as long as its keep-alive lasts; one that is busy now
  // becomes idle later, so this is asked again.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const timer = setTimeout(() => {
    logger.warn({}, 'Open requests did not end in time and are cut');
    server.closeAllConnections();
  }, options.drainTimeoutMs ?? 25_000);
  server.closeIdleConnections();
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
  for (const closer of options.closers ?? []) {
    await closer().catch((error: unknown) => logger.error({ error }, 'A part did not close'));
  }
}
