import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { openApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { createPolicyEngine, loadPolicy } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { readConfig, toCallerLimits } from '../../shared/config/index.ts';
import { listen, openPool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { openPublisher } from '../../shared/events/open-publisher.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { createGithubKeys } from '../../shared/leak-report/index.ts';
import { postgresLeakReportStore } from '../../shared/leak-report/leak-report-store.postgres.ts';
import { openCallerLimits } from '../../shared/rate-limit/open-rate-limiter.ts';
import { openRedis } from '../../shared/redis/open-redis.ts';
import { createIssuerKeys, createRemoteJsonFetch } from '../../shared/remote-jwks/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { postgresServiceAccountStore } from '../../shared/service-account/service-account-store.postgres.ts';
import { signingKeyChannel } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { postgresOidcRecordStore } from '../../shared/token/oidc-record-store.postgres.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import { alertBytesMax, answerLeakReports } from './answer-leak-reports.ts';
import { configSchema } from './config.ts';
import { createTokenFunction } from './create-token-function.ts';

const name = 'token';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({
  serviceName: name,
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
});
const database = { url: config.DATABASE_URL, applicationName: `uos-${name}` };
const pool = openPool(database);
const wrapper = await openKeyWrapper({ clock, random }, config);
const rings = { pool, logger, store: postgresDataKeyStore, wrapper, clock, random };
const redis = openRedis({ url: config.REDIS_URL, token: config.REDIS_TOKEN }, { logger });
const shared = {
  pool,
  clock,
  logger,
  events: postgresEventRecorder({ clock, random, source: `uos/${name}` }),
  pepper: await openKeyRing(rings, 'api-key-pepper'),
  limits: openCallerLimits({ clock, redis }, name, toCallerLimits(config)),
};
const apiKeys = postgresApiKeyStore(pool);
const apiKeyUses = openApiKeyUseRecorder(config.EVENT_PUBLISHER_URL, {
  open: (url) => openPublisher(url, { clientId: `uos-${name}`, onWarning: (text) => logger.warn({}, text) }),
  clock,
  random,
  source: `uos/${name}`,
  logger,
});
const internalIssuers = new Set(config.INTERNAL_ISSUERS);
const fetchJson = createRemoteJsonFetch();
const engine = createPolicyEngine({ clock });
await loadPolicy(engine, config.POLICY_BUNDLE_DIRECTORY);
const token = await createTokenFunction({
  apiKeyUses,
  ...shared,
  random,
  apiKeys,
  trustRules: postgresTrustRuleStore,
  serviceAccounts: postgresServiceAccountStore(pool),
  tokenUses: postgresTokenUseStore,
  issuerKeys: createIssuerKeys({ fetchJson, internalIssuers, clock }),
  facts: postgresSubjectFacts(pool),
  engine,
  signingKeys: postgresSigningKeyStore,
  records: postgresOidcRecordStore,
  signingRing: await openKeyRing(rings, 'signing-key'),
  recordRing: await openKeyRing(rings, 'oidc-record'),
  issuer: config.ISSUER_URL,
  audience: config.AUDIENCE,
  signingAlgorithm: config.SIGNING_ALGORITHM,
  jwksMaxAgeSeconds: config.JWKS_MAX_AGE_SECONDS,
});
const feed = listen({
  ...database,
  clock,
  channels: [signingKeyChannel],
  onNotification: token.keysChanged,
  onConnected: token.keysChanged,
  onError: (error) => logger.warn({ error }, 'The feed of key changes was interrupted'),
});
const githubKeys = createGithubKeys({
  fetchJson,
  url: config.GITHUB_ALERT_SIGNERS_URL,
  clock,
});
const leakReports = {
  ...shared,
  leaks: { ...shared, store: apiKeys, reports: postgresLeakReportStore },
  githubKeys,
};
const server = createFunctionServer(
  { clock, random, logger },
  {
    name,
    listener: answerLeakReports(leakReports, token.listener),
    isReady: token.isReady,
    bodyBytesMax: alertBytesMax,
    trustedHops: config.TRUSTED_HOPS,
  },
);
const closers = [apiKeyUses.close, token.close, feed.close, pool.close, telemetry.shutdown];
const served = await serve(logger, server, { port: config.PORT, closers });
stopOnSignal(logger, served);
