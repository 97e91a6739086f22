import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { openApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { bundleCandidates, cacheSubjectFacts } from '../../shared/authorization/index.ts';
import { postgresSearchCandidates } from '../../shared/authorization/search-candidates.postgres.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { readConfig, toFailureLimit, toObjectStoreCredentials } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionLogReader } from '../../shared/decision-record/decision-log-store.postgres.ts';
import {
  cacheDecisionLogs,
  createDecisionRecorder,
  openDecisionStream,
} from '../../shared/decision-record/index.ts';
import { openPublisher } from '../../shared/events/open-publisher.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import { openPolicyBundleSource } from '../../shared/policy-bundle/open-policy-bundle-source.ts';
import { openPathFailureLimiter, openPathRateLimiter } from '../../shared/rate-limit/open-rate-limiter.ts';
import { openRedis } from '../../shared/redis/open-redis.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { openSigningKeySet } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import { boundPool } from './bound-pool.ts';
import { configSchema } from './config.ts';
import { createAuthorizeFunction } from './create-authorize-function.ts';
import { toPolicySettings } from './policy-settings.ts';
import { createQuestionLimits } from './question-limits.ts';
import { startPolicies } from './start-policies.ts';
import { allocateYoung } from './tune-collector.ts';

allocateYoung();
const name = 'authorize';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const database = { url: config.DATABASE_URL, applicationName: `uos-${name}` };
// Questions and the record of their answers do not wait for each other.
const reads = boundPool(openPool({ ...database, statementTimeoutMs: 1_000 }), { waitingMax: 512 });
const writes = openPool({ ...database, applicationName: `uos-${name}-records`, connectionsMax: 4 });
const wrapper = await openKeyWrapper({ clock, random }, config);
const keyRing = { pool: reads, logger, store: postgresDataKeyStore, wrapper, clock, random };
const pepper = await openKeyRing(keyRing, 'api-key-pepper');
const signingKeys = openSigningKeySet({ pool: reads, store: postgresSigningKeyStore, clock });
const feed = openAuthorizationFeed({
  ...database,
  applicationName: `uos-${name}-feed`,
  clock,
  onSigningKeysChanged: signingKeys.invalidate,
  onError: (error) => logger.warn({ error }, 'The feed of changes was interrupted'),
});
const openObjects = (url: string) =>
  openObjectStore({ ...toObjectStoreCredentials(config), url }, { clock, random });
const policies = await startPolicies(
  { clock, random, logger },
  await toPolicySettings(config, (url) => openPolicyBundleSource({ openObjects }, url)),
);
const openEvents = (url: string) =>
  openPublisher(url, { clientId: `uos-${name}`, onWarning: (text) => logger.warn({}, text) });
const apiKeyUses = openApiKeyUseRecorder(config.EVENT_PUBLISHER_URL, {
  open: openEvents,
  clock,
  random,
  source: `uos/${name}`,
  logger,
});
const decisions = createDecisionRecorder({
  logs: cacheDecisionLogs({
    reader: postgresDecisionLogReader(writes),
    feed,
    clock,
    maskingKey: (await openKeyRing(keyRing, 'decision-mask')).current().bytes,
  }),
  journal: postgresDecisionJournal(writes),
  stream: openDecisionStream(config.DECISION_STREAM_URL, { open: openEvents, source: `uos/${name}`, logger }),
  clock,
  random,
  logger,
});
const redis = openRedis({ url: config.REDIS_URL, token: config.REDIS_TOKEN }, { logger });
const openLimit = (of: string, ratePerSecond: number, burst: number) =>
  openPathRateLimiter({ clock, redis }, `${name}:${of}`, { ratePerSecond, burst });
const limits = {
  callers: openLimit('callers', config.CALLER_RATE_PER_SECOND, config.CALLER_BURST),
  keys: openLimit('keys', config.KEY_RATE_PER_SECOND, config.KEY_BURST),
};
const authorize = createAuthorizeFunction({
  apiKeys: { pool: reads, store: postgresApiKeyStore(reads), pepper },
  trustRules: postgresTrustRuleStore,
  signingKeys,
  apiKeyUses,
  facts: cacheSubjectFacts({ source: postgresSubjectFacts(reads, { feed }), feed, clock }),
  feed,
  policies,
  candidates: bundleCandidates(
    policies.engine,
    postgresSearchCandidates({ pool: reads, engine: policies.engine }),
  ),
  keyRing: await openKeyRing(keyRing, 'search-page'),
  decisions,
  questionLimits: createQuestionLimits(limits),
  limits: { failures: openPathFailureLimiter({ clock, redis }, name, toFailureLimit(config)) },
  clock,
  logger,
  issuer: config.ISSUER_URL,
  audience: config.AUDIENCE,
  publicUrl: config.PUBLIC_URL,
});
const server = createFunctionServer(
  { clock, random, logger },
  { name, ...authorize, trustedHops: config.TRUSTED_HOPS },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [
    limits.callers.close,
    limits.keys.close,
    apiKeyUses.close,
    decisions.close,
    policies.close,
    feed.close,
    reads.close,
    writes.close,
    telemetry.shutdown,
  ],
});
stopOnSignal(logger, served);
