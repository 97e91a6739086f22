import { readConfig } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { createIsomorphicGitRepository } from '../../shared/declarative/git-repository.isomorphic.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { postgresDirectoryStore } from '../../shared/reconcile/directory-store.postgres.ts';
import { postgresReconcileRunStore } from '../../shared/reconcile/reconcile-run-store.postgres.ts';
import { postgresSourceStatusStore } from '../../shared/reconcile/source-status-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';

const name = 'reconcile';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}`, connectionsMax: 4 });
// Of their own: key rings are asked inside transactions, which hold the other connections meanwhile.
const keyPool = openPool({
  url: config.DATABASE_URL,
  applicationName: `uos-${name}-keys`,
  connectionsMax: 1,
});
const base = { clock: systemClock, random: systemRandom };
const wrapper = await openKeyWrapper(base, config);
const keyRing = { ...base, pool: keyPool, logger, store: postgresDataKeyStore, wrapper };
const listener = createHandler({
  ...base,
  pool,
  logger,
  sources: postgresGitSourceStore,
  statuses: postgresSourceStatusStore,
  runs: postgresReconcileRunStore,
  directory: postgresDirectoryStore,
  repository: createIsomorphicGitRepository({ cacheDirectory: config.GIT_CACHE_DIRECTORY }),
  events: postgresEventRecorder({ ...base, source: `uos/${name}` }),
  personalData: { store: postgresSubjectKeyStore, ring: await openKeyRing(keyRing, 'personal-data') },
});
const server = createFunctionServer({ ...base, logger }, { name, listener });
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [() => pool.close(), () => keyPool.close(), () => telemetry.shutdown()],
});
stopOnSignal(logger, served);
