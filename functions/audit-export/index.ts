import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { postgresAuditLogStore } from '../../shared/audit/audit-log-store.postgres.ts';
import { createLogPublisher } from '../../shared/audit/index.ts';
import { readConfig, toObjectStoreLocation } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

const name = 'audit-export';
const ambient = { clock: systemClock, random: systemRandom };
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}` });
const objects = openObjectStore(toObjectStoreLocation(config), ambient);
const logs = postgresAuditLogStore;
const publisher = createLogPublisher({ ...ambient, pool, store: logs, objects, logger });
const events = postgresEventRecorder({ ...ambient, source: `uos/${name}` });
const exporting = {
  pool,
  exports: postgresAuditExportStore,
  logs,
  objects,
  events,
  clock: systemClock,
};
const sealing = {
  ...ambient,
  pool,
  objects,
  // One source of all segments' events, whoever makes them.
  events: postgresEventRecorder({ ...ambient, source: 'uos/authorize' }),
  journal: postgresDecisionJournal(pool),
  segments: postgresDecisionSegmentStore,
  logger,
};
const server = createFunctionServer(
  { ...ambient, logger },
  { name, listener: createHandler({ exporting, publisher, sealing, logger }) },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [publisher.close, pool.close, telemetry.shutdown],
});
stopOnSignal(logger, served);
