import { readConfig } from '../../shared/config/index.ts';
import { listen, openPool } from '../../shared/db/index.ts';
import { openPublisher } from '../../shared/events/open-publisher.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { createOutboxRelay, publishTimeoutMs } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

const name = 'outbox-relay';
const applicationName = `uos-${name}`;
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const pool = openPool({
  url: config.DATABASE_URL,
  applicationName,
  connectionsMax: 2,
  // The transaction is idle while a batch is published; the pool cuts it at twice this.
  statementTimeoutMs: publishTimeoutMs,
});
const publisher = openPublisher(config.EVENT_PUBLISHER_URL, {
  clientId: applicationName,
  onWarning: (message) => logger.warn({}, message),
});
const relay = createOutboxRelay({ pool, store: postgresOutboxStore, publisher, logger });
const feed = listen({
  url: config.DATABASE_URL,
  applicationName: `${applicationName}-feed`,
  channels: ['outbox'],
  clock: systemClock,
  onNotification: relay.wake,
  onConnected: relay.wake,
  onError: (error) => logger.warn({ error }, 'The outbox feed was cut; it reconnects'),
});
const server = createFunctionServer(
  { clock: systemClock, random: systemRandom, logger },
  { name, listener: createHandler({ relay, logger }), isReady: () => feed.freshAsOf() !== undefined },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [feed.close, relay.close, publisher.close, pool.close, telemetry.shutdown],
});
stopOnSignal(logger, served);
