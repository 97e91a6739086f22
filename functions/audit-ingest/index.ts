import { postgresAuditLogStore } from '../../shared/audit/audit-log-store.postgres.ts';
import { createLogPublisher } from '../../shared/audit/index.ts';
import { readLogSigningKey } from '../../shared/audit/log-signing-key.file.ts';
import { readConfig, toObjectStoreLocation } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { toCloudEvent } from '../../shared/events/event-recorder.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { configSchema } from './config.ts';
import { bodyBytesMax, createHandler } from './handler.ts';

const name = 'audit-ingest';
const ambient = { clock: systemClock, random: systemRandom };
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const signingKey = await readLogSigningKey(config.AUDIT_SIGNING_KEY_FILE);
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}` });
const objects = openObjectStore(toObjectStoreLocation(config), ambient);
const publisher = createLogPublisher({
  pool,
  store: postgresAuditLogStore,
  objects,
  ...ambient,
  logger,
});
const log = {
  pool,
  store: postgresAuditLogStore,
  clock: systemClock,
  auditOrigin: config.AUDIT_ORIGIN,
  signingKey,
  createEvent: toCloudEvent.bind(undefined, { ...ambient, source: `uos/${name}` }),
};
const server = createFunctionServer(
  { ...ambient, logger },
  { name, listener: createHandler({ log, publisher, logger }), bodyBytesMax },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [publisher.close, pool.close, telemetry.shutdown],
});
stopOnSignal(logger, served);
