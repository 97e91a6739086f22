import { postgresApiKeyUseStore } from '../../shared/api-key-use/api-key-use-store.postgres.ts';
import { readConfig } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { postgresIdempotencyRecordStore } from '../../shared/idempotency/idempotency-record-store.postgres.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import { postgresSealedRowStore } from '../../shared/rewrap/sealed-row-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { accessTokenTtlSeconds } from '../../shared/token/index.ts';
import { postgresOidcRecordStore } from '../../shared/token/oidc-record-store.postgres.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { configSchema } from './config.ts';
import { createHandler } from './handler.ts';
import { rotateKeys } from './rotate-keys.ts';

const name = 'key-rotation';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({
  serviceName: name,
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
});
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}` });
// Of their own: key rings are asked inside transactions, which hold the other connections meanwhile.
const keyPool = openPool({
  url: config.DATABASE_URL,
  applicationName: `uos-${name}-keys`,
  connectionsMax: 1,
});
const wrapper = await openKeyWrapper({ clock, random }, config);
const events = postgresEventRecorder({ clock, random, source: `uos/${name}` });
const keyRing = { pool: keyPool, logger, store: postgresDataKeyStore, wrapper, clock, random };
const ring = await openKeyRing(keyRing, 'signing-key');
const deps = {
  logger,
  signingKeys: {
    pool,
    clock,
    random,
    ring,
    store: postgresSigningKeyStore,
    events,
    policy: {
      algorithms: config.SIGNING_ALGORITHMS,
      intervalSeconds: config.ROTATION_INTERVAL_SECONDS,
      publishLeadSeconds: config.PUBLISH_LEAD_SECONDS,
      tokenTtlSecondsMax: accessTokenTtlSeconds,
      jwksMaxAgeSeconds: config.JWKS_MAX_AGE_SECONDS,
    },
  },
  apiKeyUses: { pool, store: postgresApiKeyUseStore },
  records: { pool, clock, store: postgresOidcRecordStore },
  tokenUses: { pool, store: postgresTokenUseStore },
  answers: { pool, clock, store: postgresIdempotencyRecordStore },
  rewrap: {
    pool,
    clock,
    random,
    events,
    wrapper,
    keys: postgresDataKeyStore,
    rotations: postgresDataKeyRotationStore,
    rows: postgresSealedRowStore,
    policy: {
      leadSeconds: config.DATA_KEY_LEAD_SECONDS,
      graceSeconds: config.DATA_KEY_GRACE_SECONDS,
      sliceSeconds: config.REWRAP_SLICE_SECONDS,
    },
  },
};
const server = createFunctionServer(
  { clock, random, logger },
  { name, listener: createHandler(deps), bodyBytesMax: 65_536, trustedHops: config.TRUSTED_HOPS },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [pool.close, keyPool.close, telemetry.shutdown],
});
stopOnSignal(logger, served);
// A new installation has no key yet, and token waits for one: the first tick may be a minute away.
await rotateKeys(deps).catch((error: unknown) =>
  logger.error({ error }, 'The first rotation failed; a tick tries again'),
);
