import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { openApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { postgresAuditTrailStore } from '../../shared/audit/audit-trail-store.postgres.ts';
import { createPolicyEngine, loadPolicy } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { readConfig, toCallerLimits, toObjectStoreLocation } from '../../shared/config/index.ts';
import { openPool } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionLogStore } from '../../shared/decision-record/decision-log-store.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { openPublisher } from '../../shared/events/open-publisher.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { createFunctionServer, serve, stopOnSignal } from '../../shared/http/index.ts';
import { postgresIdempotencyRecordStore } from '../../shared/idempotency/idempotency-record-store.postgres.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import { postgresOrganizationDirectory } from '../../shared/organization/organization-directory.postgres.ts';
import { postgresOrganizationStore } from '../../shared/organization/organization-store.postgres.ts';
import { postgresPersonStore } from '../../shared/personal-data/person-store.postgres.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { openCallerLimits } from '../../shared/rate-limit/open-rate-limiter.ts';
import { openRedis } from '../../shared/redis/open-redis.ts';
import { postgresResourceStore } from '../../shared/resource/resource-store.postgres.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { postgresServiceAccountStore } from '../../shared/service-account/service-account-store.postgres.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createLogger, startTelemetry } from '../../shared/telemetry/index.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import { configSchema } from './config.ts';
import { createAdminFunction } from './create-admin-function.ts';

const name = 'admin';
const config = readConfig(configSchema, process.env);
const logger = createLogger({ name, level: config.LOG_LEVEL });
const telemetry = await startTelemetry({ serviceName: name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
const pool = openPool({ url: config.DATABASE_URL, applicationName: `uos-${name}` });
// Of their own: key rings are asked inside transactions, which hold the other connections meanwhile.
const keyPool = openPool({
  url: config.DATABASE_URL,
  applicationName: `uos-${name}-keys`,
  connectionsMax: 1,
});
const wrapper = await openKeyWrapper({ clock, random }, config);
const keyRing = { pool: keyPool, logger, store: postgresDataKeyStore, wrapper, clock, random };
const engine = createPolicyEngine({ clock });
await loadPolicy(engine, config.POLICY_BUNDLE_DIRECTORY);
const redis = openRedis({ url: config.REDIS_URL, token: config.REDIS_TOKEN }, { logger });
const apiKeyUses = openApiKeyUseRecorder(config.EVENT_PUBLISHER_URL, {
  open: (url) => openPublisher(url, { clientId: `uos-${name}`, onWarning: (text) => logger.warn({}, text) }),
  clock,
  random,
  source: `uos/${name}`,
  logger,
});
const admin = createAdminFunction({
  apiKeyUses,
  logger,
  clock,
  random,
  pool,
  engine,
  facts: postgresSubjectFacts(pool),
  events: postgresEventRecorder({ clock, random, source: `uos/${name}` }),
  objects: openObjectStore(toObjectStoreLocation(config), { clock, random }),
  limits: openCallerLimits({ clock, redis }, name, toCallerLimits(config)),
  issuer: config.ISSUER_URL,
  audience: config.AUDIENCE,
  workloadIdentity: { issuer: config.ISSUER_URL, internalIssuers: new Set(config.INTERNAL_ISSUERS) },
  rings: {
    pepper: await openKeyRing(keyRing, 'api-key-pepper'),
    webhookSecrets: await openKeyRing(keyRing, 'git-source'),
    responses: await openKeyRing(keyRing, 'idempotency'),
    personalData: await openKeyRing(keyRing, 'personal-data'),
    signingKeys: await openKeyRing(keyRing, 'signing-key'),
  },
  stores: {
    organization: postgresOrganizationStore,
    directory: postgresOrganizationDirectory,
    serviceAccount: postgresServiceAccountStore(pool),
    apiKey: postgresApiKeyStore(pool),
    trustRule: postgresTrustRuleStore,
    gitSource: postgresGitSourceStore,
    resource: postgresResourceStore,
    signingKey: postgresSigningKeyStore,
    dataKeyRotation: postgresDataKeyRotationStore,
    auditExport: postgresAuditExportStore,
    auditTrail: postgresAuditTrailStore,
    subjectKey: postgresSubjectKeyStore,
    person: postgresPersonStore,
    decisionLog: postgresDecisionLogStore,
    decisions: { journal: postgresDecisionJournal(pool), segments: postgresDecisionSegmentStore },
    idempotency: postgresIdempotencyRecordStore,
  },
});
const server = createFunctionServer(
  { clock, random, logger },
  { name, ...admin, trustedHops: config.TRUSTED_HOPS },
);
const served = await serve(logger, server, {
  port: config.PORT,
  closers: [apiKeyUses.close, pool.close, keyPool.close, telemetry.shutdown],
});
stopOnSignal(logger, served);
