import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { createAdminFunction } from '../../functions/admin/create-admin-function.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { postgresAuditTrailStore } from '../../shared/audit/audit-trail-store.postgres.ts';
import { createPolicyEngine, loadPolicy } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import type { PoolOptions } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionLogStore } from '../../shared/decision-record/decision-log-store.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { createFunctionServer, serve } from '../../shared/http/index.ts';
import { postgresIdempotencyRecordStore } from '../../shared/idempotency/idempotency-record-store.postgres.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { createDirectoryObjectStore } from '../../shared/object-store/object-store.directory.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresOrganizationDirectory } from '../../shared/organization/organization-directory.postgres.ts';
import { postgresOrganizationStore } from '../../shared/organization/organization-store.postgres.ts';
import { postgresPersonStore } from '../../shared/personal-data/person-store.postgres.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { postgresResourceStore } from '../../shared/resource/resource-store.postgres.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { postgresServiceAccountStore } from '../../shared/service-account/service-account-store.postgres.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import { testLimits } from './limits.ts';
import { createTestDatabase, openTestPool } from './postgres.ts';
import { type OrganizationSeed, openTestApiKeys, seedOrganization } from './seed-organization.ts';

export type AdminRequest = {
  /** Text of an API key; absent: no credential. */
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type AdminService = Awaited<ReturnType<typeof startAdminService>>;

/** The admin function over a database of its own, served on a free port; the platform has the account `operator`. */
export async function startAdminService(
  given: { limits?: Parameters<typeof testLimits>[0] } & Pick<
    PoolOptions,
    'connectionsMax' | 'connectTimeoutMs' | 'statementTimeoutMs'
  > = {},
) {
  const database = await createTestDatabase();
  const { limits, ...settings } = given;
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test-admin', ...settings });
  // Of their own, as in production: key rings are asked inside transactions, which hold the other connections meanwhile.
  const keyPool = openTestPool({
    url: database.appUrl,
    applicationName: 'test-admin-keys',
    connectionsMax: 1,
  });
  const apiKeys = await openTestApiKeys(pool, keyPool);
  const directory = await mkdtemp(join(tmpdir(), 'uos-objects-'));
  const objects = createDirectoryObjectStore(directory, { random });
  const wrapper = await openFileKeyWrapper({ random }, apiKeys.wrappingKeyFile);
  const keyRing = { pool: keyPool, store: postgresDataKeyStore, wrapper, clock, random };
  const engine = createPolicyEngine({ clock });
  await loadPolicy(engine, join(import.meta.dirname, '../../policies/bundle'));
  const deps = {
    logger: silentLogger,
    clock,
    random,
    pool,
    engine,
    facts: postgresSubjectFacts(pool),
    events: postgresEventRecorder({ clock, random, source: 'uos/admin' }),
    objects,
    limits: testLimits(limits),
    issuer: 'https://token.test',
    audience: 'https://api.test',
    workloadIdentity: { issuer: 'https://token.test', internalIssuers: new Set<string>() },
    rings: {
      pepper: apiKeys.deps.pepper,
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
  };
  const server = createFunctionServer(
    { clock, random, logger: silentLogger },
    { name: `admin-${randomBytes(4).toString('hex')}`, ...createAdminFunction(deps) },
  );
  const served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${served.port}`;
  const platform = await seedOrganization(pool, {
    organizationId: platformOrganizationId,
    name: 'platform',
    serviceAccounts: ['operator', 'idler'],
    bindings: [{ role: 'PlatformOperator', subject: 'operator' }],
  });
  return {
    database,
    pool,
    deps,
    objects,
    apiKeys,
    url,
    platform,
    operatorKey: (await apiKeys.issue(platform, 'operator')).text,
    /** A tenant whose account `admin` may do all a tenant can, and whose account `idler` may do nothing. */
    seedTenant: async (seed: OrganizationSeed = {}) => {
      const organization = await seedOrganization(pool, {
        ...seed,
        serviceAccounts: ['admin', 'idler', ...(seed.serviceAccounts ?? [])],
        roles: { everything: ['*:*'], ...seed.roles },
        bindings: [{ role: 'everything', subject: 'admin' }, ...(seed.bindings ?? [])],
      });
      const key = (await apiKeys.issue(organization, 'admin')).text;
      return { ...organization, key };
    },
    request: (method: string, path: string, request?: AdminRequest) => send(url, method, path, request),
    close: async () => {
      await served.close();
      await pool.close();
      await keyPool.close();
      await apiKeys.dispose();
      await rm(directory, { recursive: true, force: true });
      await database.drop();
    },
  };
}

async function send(url: string, method: string, path: string, { key, body, headers }: AdminRequest = {}) {
  const response = await fetch(url + path, {
    method: method.toUpperCase(),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json$/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
}

/** A digest of every row of every table, seen from above row-level security. */
export async function digestDatabase(superuserUrl: string): Promise<Record<string, string>> {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
    );
    const digests: Record<string, string> = {};
    for (const { name } of tables.rows) {
      const table = client.escapeIdentifier(name);
      const { rows } = await client.query<{ digest: string }>(
        `select count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '-') as digest
           from ${table} t`,
      );
      digests[name] = rows[0]?.digest ?? '';
    }
    return digests;
  } finally {
    await client.end();
  }
}
