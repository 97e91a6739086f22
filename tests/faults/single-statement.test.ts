import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordIssuedToken } from '../../functions/token/record-token.ts';
import {
  disableApiKey,
  issueApiKey,
  revokeApiKey,
  revokeApiKeys,
  rotateApiKey,
} from '../../shared/api-key/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import { registerGitSource } from '../../shared/git-source/index.ts';
import { type Failure, invariant, ok, type Result } from '../../shared/kernel/index.ts';
import { createOrganization } from '../../shared/organization/index.ts';
import {
  createServiceAccount,
  deleteServiceAccount,
  serviceAccountId,
  updateServiceAccount,
} from '../../shared/service-account/index.ts';
import {
  createTrustRule,
  disableTrustRule,
  removeTrustRule,
  type TrustRuleDeps,
} from '../../shared/workload-identity/index.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { type AdminService, digestDatabase, startAdminService } from '../support/admin-service.ts';
import { failingPool, StatementFault } from '../support/failing-pool.ts';

let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await admin.seedTenant({ serviceAccounts: ['ci'] });
});
afterAll(() => admin.close());

const actor = { type: 'system', id: 'test' } as const;
type Attempt = (pool: DatabasePool) => Promise<Result<unknown, Failure>>;

/** Each prepares one change that has not been made yet; the same attempt may be made again. */
const useCases: Readonly<Record<string, () => Promise<Attempt>>> = {
  createOrganization: async () => {
    const input = { name: `org-${unique()}`, displayName: 'x', actor };
    return (pool) =>
      createOrganization({ ...admin.deps, pool, store: admin.deps.stores.organization }, input);
  },
  createServiceAccount: async () => {
    const input = { organizationId: tenant.organizationId, name: `sa-${unique()}`, displayName: 'x', actor };
    return (pool) =>
      createServiceAccount({ ...admin.deps, pool, store: admin.deps.stores.serviceAccount }, input);
  },
  updateServiceAccount: async () => {
    const input = { ...(await createAccount()), change: { labels: { env: 'prod' } } };
    return (pool) =>
      updateServiceAccount({ ...admin.deps, pool, store: admin.deps.stores.serviceAccount }, input);
  },
  deleteServiceAccount: async () => {
    const input = await createAccount();
    return (pool) =>
      deleteServiceAccount({ ...admin.deps, pool, store: admin.deps.stores.serviceAccount }, input);
  },
  issueApiKey: async () => {
    const owner = {
      organizationId: tenant.organizationId,
      serviceAccountId: serviceAccountId.require(tenant.idOf('ci')),
    };
    const input = { ...owner, actor, description: 'x', environment: 'test' } as const;
    return (pool) => issueApiKey({ ...admin.apiKeys.deps, pool }, input);
  },
  revokeApiKey: async () => {
    const { key } = await admin.apiKeys.issue(tenant, 'ci');
    const input = { organizationId: tenant.organizationId, keyId: key.id, actor };
    return (pool) => revokeApiKey({ ...admin.apiKeys.deps, pool }, input);
  },
  disableApiKey: async () => {
    const input = await createKey();
    return (pool) => disableApiKey({ ...admin.apiKeys.deps, pool }, input);
  },
  rotateApiKey: async () => {
    const input = { ...(await createKey()), environment: 'test', overlapSeconds: 60 } as const;
    return (pool) => rotateApiKey({ ...admin.apiKeys.deps, pool }, input);
  },
  revokeApiKeys: async () => {
    const { organizationId } = tenant;
    const owner = { type: 'service_account', id: (await createAccount()).serviceAccountId } as const;
    const key = { organizationId, serviceAccountId: owner.id, actor, description: 'x' };
    await issueApiKey(admin.apiKeys.deps, { ...key, environment: 'test' });
    const input = { organizationId, filter: { owner }, limit: 10, actor };
    return async (pool) => ok(await revokeApiKeys({ ...admin.apiKeys.deps, pool }, input));
  },
  createTrustRule: async () => {
    const input = newTrustRule();
    return (pool) => createTrustRule(trustRuleDeps(pool), input);
  },
  disableTrustRule: async () => {
    const input = await addTrustRule();
    return (pool) => disableTrustRule(trustRuleDeps(pool), input);
  },
  removeTrustRule: async () => {
    const input = await addTrustRule();
    return (pool) => removeTrustRule(trustRuleDeps(pool), input);
  },
  // A foreign token is used up exactly when what it bought is recorded.
  exchangeToken: async () => {
    const { organizationId, id } = await addTrustRule();
    const until = new Date('2030-01-01T00:00:00Z');
    const use = { digest: randomBytes(32), until };
    const grant = {
      organizationId,
      subject: serviceAccountId.require(tenant.idOf('ci')),
      issuedFor: { type: 'trust_rule', id },
      actors: [],
      scopes: undefined,
      goodUntil: until,
      workload: { subject: 'repo:acme/app:main', use },
    } as const;
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwt = `${part({ kid: 'one' })}.${part({ jti: 'one', exp: 1_893_456_000, aud: 'urn:x' })}.`;
    return (pool) =>
      recordIssuedToken({ ...admin.deps, pool, tokenUses: postgresTokenUseStore }, { grant, jwt });
  },
  registerGitSource: async () => {
    const input = { url: `https://git.test/${unique()}`, ref: 'main', actor };
    const { gitSource: store } = admin.deps.stores;
    const { webhookSecrets } = admin.deps.rings;
    return (pool) => registerGitSource({ ...admin.deps, pool, store, webhookSecrets }, input);
  },
};

async function createKey() {
  const { key } = await admin.apiKeys.issue(tenant, 'ci');
  return { organizationId: tenant.organizationId, keyId: key.id, actor };
}

function trustRuleDeps(pool: DatabasePool): TrustRuleDeps {
  const { trustRule: store, serviceAccount: serviceAccounts } = admin.deps.stores;
  return { ...admin.deps, pool, store, serviceAccounts, internalIssuers: new Set() };
}

function newTrustRule(account = tenant.idOf('ci')) {
  return {
    organizationId: tenant.organizationId,
    serviceAccountId: serviceAccountId.require(account),
    name: `rule-${unique()}`,
    issuer: 'https://issuer.test',
    audience: 'https://token.test',
    subjectPattern: 'repo:acme/app:*',
    requiredClaims: [],
    tokenAgeSecondsMax: 600,
    tokenUse: 'once',
    scopes: undefined,
    jwks: undefined,
    actor,
  } as const;
}

/** On an account of its own: one account has few. */
async function addTrustRule() {
  const { serviceAccountId: account } = await createAccount();
  const created = await createTrustRule(trustRuleDeps(admin.pool), newTrustRule(account));
  invariant(created.ok, 'no trust rule');
  return { organizationId: tenant.organizationId, id: created.value.id, actor };
}

async function createAccount() {
  const { organizationId } = tenant;
  const created = await createServiceAccount(
    { ...admin.deps, store: admin.deps.stores.serviceAccount },
    { organizationId, name: `sa-${unique()}`, displayName: 'x', actor },
  );
  invariant(created.ok, 'no account');
  return { organizationId, serviceAccountId: created.value.id, actor };
}

function unique(): string {
  return randomBytes(6).toString('hex');
}

async function countStatements(prepare: () => Promise<Attempt>): Promise<number> {
  const counting = failingPool(admin.pool, { atStatement: 0 });
  expect(await (await prepare())(counting)).toMatchObject({ ok: true });
  return counting.statements();
}

/** Rows by table: `audit_event` and `outbox` must grow by what the change records, and by nothing else. */
async function countRows(): Promise<Record<string, number>> {
  const digests = await digestDatabase(admin.database.superuserUrl);
  return Object.fromEntries(
    Object.entries(digests).map(([name, digest]) => [name, Number.parseInt(digest, 10)]),
  );
}

describe.each(Object.entries(useCases))('%s', (_name, prepare) => {
  // Invariant 1: no change without its audit event, no audit event without its change.
  it('leaves state, trail and outbox as they were whichever statement fails, and a retry succeeds', async () => {
    const total = await countStatements(prepare);
    expect(total).toBeGreaterThanOrEqual(5);
    const attempt = await prepare();
    const before = await digestDatabase(admin.database.superuserUrl);
    for (let atStatement = 1; atStatement <= total; atStatement++) {
      const pool = failingPool(admin.pool, { atStatement });
      await expect(attempt(pool), `statement ${atStatement} of ${total}`).rejects.toThrow(StatementFault);
      expect(pool.hasFailed()).toBe(true);
      expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
    }
    const rows = await countRows();
    expect(await attempt(admin.pool)).toMatchObject({ ok: true });
    const after = await countRows();
    expect([after['audit_event'], after['outbox']]).toEqual([
      (rows['audit_event'] ?? 0) + 1,
      (rows['outbox'] ?? 0) + 1,
    ]);
  });

  it('is whole when the commit was done and its confirmation was lost', async () => {
    const total = await countStatements(prepare);
    const attempt = await prepare();
    const rows = await countRows();
    const pool = failingPool(admin.pool, { atStatement: total, lost: 'answer' });
    await expect(attempt(pool)).rejects.toThrow(StatementFault);
    const after = await countRows();
    invariant(rows['audit_event'] !== undefined && rows['outbox'] !== undefined, 'no trail');
    expect([after['audit_event'], after['outbox']]).toEqual([rows['audit_event'] + 1, rows['outbox'] + 1]);
  });
});
