import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boundPool } from '../../functions/authorize/bound-pool.ts';
import { createAuthorizeFunction } from '../../functions/authorize/create-authorize-function.ts';
import { createQuestionLimits } from '../../functions/authorize/question-limits.ts';
import { type PolicySettings, startPolicies } from '../../functions/authorize/start-policies.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { bundleCandidates, cacheSubjectFacts } from '../../shared/authorization/index.ts';
import { postgresSearchCandidates } from '../../shared/authorization/search-candidates.postgres.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import type { DecisionRecord } from '../../shared/decision-record/index.ts';
import { createFunctionServer, serve } from '../../shared/http/index.ts';
import { type Clock, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { createFileBundleSource } from '../../shared/policy-bundle/policy-bundle-source.file.ts';
import type { RateLimit } from '../../shared/rate-limit/index.ts';
import { createMemoryRateLimiter } from '../../shared/rate-limit/rate-limiter.memory.ts';
import { openSigningKeySet } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import { testLimits } from './limits.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from './postgres.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from './seed-organization.ts';
import { audience, issuer } from './test-token.ts';

export const publicUrl = 'https://authorize.example.test';
const builtInBundle = join(import.meta.dirname, '../../policies/bundle');

/** Long for any machine: that an evaluation, or its turn to come, took long is no answer of these tests. */
const bounds = { deadlineMs: 10_000, waitMs: 60_000 };

/** A database, keys, a copy of the built-in policy bundle, and instances of authorize over them. */
export type AuthorizeWorld = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly pool: DatabasePool;
  readonly keys: TestApiKeys;
  readonly bundleDirectory: string;
};

export async function createAuthorizeWorld(): Promise<AuthorizeWorld> {
  const database = await createTestDatabase();
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  const keys = await openTestApiKeys(pool);
  const bundleDirectory = await mkdtemp(join(tmpdir(), 'uos-bundle-'));
  for (const name of ['manifest.json', 'authz.wasm', 'data.json']) {
    await copyFile(join(builtInBundle, name), join(bundleDirectory, name));
  }
  return {
    database,
    pool,
    keys,
    bundleDirectory,
    [Symbol.asyncDispose]: async () => {
      await keys.dispose();
      await pool.close();
      await database.drop();
      await rm(bundleDirectory, { recursive: true });
    },
  };
}

export type AuthorizeInstance = Awaited<ReturnType<typeof startAuthorizeInstance>>;

const noLimit: RateLimit = { ratePerSecond: 1e6, burst: 1e6 };

/** One warm instance as its composition root makes it, with decisions kept where the test can see them. */
export async function startAuthorizeInstance(
  { database, keys, bundleDirectory }: AuthorizeWorld,
  options: {
    waitingMax?: number;
    policies?: Partial<PolicySettings>;
    callerLimit?: RateLimit;
    keyLimit?: RateLimit;
    failures?: RateLimit;
    /** Of the decisions alone: what is kept and for how long goes by the system's. */
    clock?: Clock;
  } = {},
) {
  const url = database.appUrl;
  const reads = boundPool(openTestPool({ url, applicationName: 'test' }), {
    waitingMax: options.waitingMax ?? 128,
  });
  const signingKeys = openSigningKeySet({ pool: reads, store: postgresSigningKeyStore, clock: systemClock });
  const feed = openAuthorizationFeed({
    url,
    applicationName: 'test',
    clock: systemClock,
    onSigningKeysChanged: signingKeys.invalidate,
  });
  const bundleRefusals: string[] = [];
  const logger = {
    ...silentLogger,
    error: (_: unknown, message: string) => void bundleRefusals.push(message),
  };
  const policies = await startPolicies(
    { clock: systemClock, random: systemRandom, logger },
    { builtIn: createFileBundleSource(bundleDirectory), intervalMs: 20, bounds, ...options.policies },
  );
  const { engine } = policies;
  const records: DecisionRecord[] = [];
  const state = { isAccepting: true };
  const authorize = createAuthorizeFunction({
    apiKeys: { pool: reads, store: postgresApiKeyStore(reads), pepper: keys.deps.pepper },
    trustRules: postgresTrustRuleStore,
    signingKeys,
    facts: cacheSubjectFacts({ source: postgresSubjectFacts(reads), feed, clock: systemClock }),
    feed,
    policies,
    candidates: bundleCandidates(engine, postgresSearchCandidates({ pool: reads, engine })),
    searchBounds: { candidatesMax: 2_000, seconds: 60 },
    keyRing: keys.pageTokens,
    decisions: {
      record: (record) => void records.push(record),
      isAccepting: () => state.isAccepting,
    },
    questionLimits: createQuestionLimits({
      callers: createMemoryRateLimiter({ clock: systemClock }, options.callerLimit ?? noLimit),
      keys: createMemoryRateLimiter({ clock: systemClock }, options.keyLimit ?? noLimit),
    }),
    limits: testLimits(options.failures === undefined ? {} : { failures: options.failures }),
    clock: options.clock ?? systemClock,
    logger: silentLogger,
    issuer,
    audience,
    publicUrl,
  });
  const server = createFunctionServer(
    { clock: systemClock, random: systemRandom, logger: silentLogger },
    {
      name: `authorize-${systemRandom.bytes(4).join('')}`,
      ...authorize,
      trustedHops: 1,
      // Nothing is shed: callers share the event loop here, and their turns would count as the function's.
      budget: { admit: () => true },
    },
  );
  const served = await serve(silentLogger, server, {
    port: 0,
    host: '127.0.0.1',
    closers: [policies.close, feed.close, reads.close],
  });
  await waitUntil(async () => feed.isLive());
  const base = `http://127.0.0.1:${served.port}`;
  return { base, records, state, engine, feed, bundleRefusals, close: served.close };
}

export type Scene = {
  readonly organization: SeededOrganization;
  readonly gateway: IssuedApiKey;
  readonly outsider: IssuedApiKey;
  readonly alice: { readonly type: 'user'; readonly id: string };
};

/** `gateway` may ask about anyone; `outsider` may not; alice reads documents and is denied one of them. */
export async function setScene({ pool, keys }: AuthorizeWorld): Promise<Scene> {
  const organization = await seedOrganization(pool, {
    users: ['alice'],
    serviceAccounts: ['gateway', 'outsider'],
    teams: { staff: { members: ['alice'] } },
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'reader', subject: 'staff' },
      { role: 'reader', subject: 'alice', at: { resource: 'document:secret' }, effect: 'deny' },
    ],
  });
  return {
    organization,
    gateway: await keys.issue(organization, 'gateway'),
    outsider: await keys.issue(organization, 'outsider'),
    alice: { type: 'user', id: organization.idOf('alice') },
  };
}

export const question = (
  subject: { type: string; id: string },
  more: { action?: string; document?: string; context?: object; options?: object } = {},
) => ({
  subject,
  action: { name: more.action ?? 'read' },
  resource: { type: 'document', id: more.document ?? '42' },
  ...(more.context === undefined ? {} : { context: more.context }),
  ...(more.options === undefined ? {} : { options: more.options }),
});

export async function askAuthorize(
  base: string,
  body: unknown,
  options: { token?: string; headers?: Record<string, string>; path?: string } = {},
) {
  const response = await fetch(`${base}${options.path ?? '/access/v1/evaluation'}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

/** Polls; how fast something must be is the bench's business. */
export async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(50_000);
  while (!(await holds())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
