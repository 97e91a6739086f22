import { readConfig, toFailureLimit } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openFailureLimiter } from '../../shared/rate-limit/open-rate-limiter.ts';
import { postgresSourceStatusStore } from '../../shared/reconcile/source-status-store.postgres.ts';
import { openRedis } from '../../shared/redis/open-redis.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { configSchema } from './config.ts';
import { createDecoy } from './create-decoy.ts';
import { createHandler } from './handler.ts';

const name = 'git-webhook';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}` });
const base = { clock: systemClock, random: systemRandom };
const wrapper = await openKeyWrapper(base, config);
const webhookSecrets = await openKeyRing(
  { ...base, pool, logger, store: postgresDataKeyStore, wrapper },
  'git-source',
);
const redis = openRedis({ url: config.REDIS_URL, token: config.REDIS_TOKEN }, { logger });
const listener = createHandler({
  ...base,
  pool,
  logger,
  sources: postgresGitSourceStore,
  statuses: postgresSourceStatusStore,
  events: postgresEventRecorder({ ...base, source: `uos/${name}` }),
  limits: { failures: openFailureLimiter({ ...base, redis }, name, toFailureLimit(config)) },
  webhookSecrets,
  decoy: createDecoy(webhookSecrets, systemRandom),
});
const server = createFunctionServer(
  { ...base, logger },
  { name, listener, bodyBytesMax: 1_048_576, trustedHops: config.TRUSTED_HOPS },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [() => pool.close(), () => telemetry.shutdown()],
});
stopOnSignal(logger, served);
