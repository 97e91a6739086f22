import { createHmac } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { createApiKeyText } from '../../shared/api-key/api-key-text.ts';
import {
  type ApiKeyId,
  apiKeyId,
  type IssuedApiKey,
  rotateApiKey,
  verifyApiKey,
} from '../../shared/api-key/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import { invariant, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;
let organization: SeededOrganization;
let key: IssuedApiKey;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
});
afterAll(async () => {
  await keys.dispose();
  await pool.close();
  await database.drop();
});
beforeEach(async () => {
  organization = await seedOrganization(pool, { users: ['alice'], serviceAccounts: ['ci', 'gone'] });
  key = await keys.issue(organization, 'ci');
});

async function asSuperuser<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

const setKey = (assignment: string, id = key.key.id) =>
  asSuperuser(`update api_key set ${assignment} where key_id = $1`, [id]);

/** Gives it another secret, whose overlap with the first is over. */
async function supersede(): Promise<undefined> {
  const rotated = await rotateApiKey(keys.deps, {
    organizationId: organization.organizationId,
    keyId: key.key.id,
    actor: { type: 'system', id: 'test' },
    overlapSeconds: 60,
  });
  invariant(rotated.ok, 'not rotated');
  await setKey('previous_secret_until = now()');
}

const setOwner = (assignment: string) =>
  asSuperuser(`update service_account set ${assignment} where service_account_id = $1`, [
    organization.idOf('ci'),
  ]);

const setOrganization = (assignment: string) =>
  asSuperuser(`update organization set ${assignment} where org_id = $1`, [organization.organizationId]);

/** Counts what is sent to the database, the transactions, and the seals that are opened. */
function counting(inner: DatabasePool) {
  const counts = { statements: 0, connections: 0, opened: 0 };
  const counted: DatabasePool = {
    ...inner,
    query: (config) => {
      counts.statements++;
      return inner.query(config);
    },
    connect: () => {
      counts.connections++;
      return inner.connect();
    },
  };
  const pepper: KeyRing = {
    ...keys.deps.pepper,
    open: (box, context) => {
      counts.opened++;
      return keys.deps.pepper.open(box, context);
    },
  };
  return { counts, deps: { ...keys.deps, pool: counted, store: postgresApiKeyStore(counted), pepper } };
}

/** Well-formed, with the id of a key and another secret. */
const withOtherSecret = (id: ApiKeyId) =>
  createApiKeyText(systemRandom, id, { kind: 'sa', environment: 'test' });

describe('verification of a key that is not known yet', () => {
  it('is one statement, without a transaction', async () => {
    const { counts, deps } = counting(pool);
    expect(await verifyApiKey(deps, key.text)).toMatchObject({ ok: true, value: { id: key.key.id } });
    expect(counts).toEqual({ statements: 1, connections: 0, opened: 2 });
  });

  it('never asks the database about a malformed one', async () => {
    const { counts, deps } = counting(pool);
    const malformed = [
      '',
      'uos_sa_test_x',
      `${key.text}0`,
      key.text.slice(1),
      key.text.replace('_sa_', '_xx_'),
    ];
    for (const text of malformed)
      expect(await verifyApiKey(deps, text)).toMatchObject({ failure: { reason: 'malformed' } });
    expect(counts).toEqual({ statements: 0, connections: 0, opened: 0 });
  });

  // Threat: an answer, or how long it takes, that tells a key that exists from one that does not.
  it.each<[string, () => Promise<string | undefined>]>([
    ['unknown', async () => withOtherSecret(apiKeyId.create({ clock: systemClock, random: systemRandom }))],
    ['wrong_secret', async () => withOtherSecret(key.key.id)],
    ['superseded', supersede],
    ['revoked', async () => void (await setKey("status = 'revoked'"))],
    ['disabled', async () => void (await setKey("status = 'disabled'"))],
    ['expired', async () => void (await setKey("expires_at = now() - interval '1 second'"))],
    ['owner_disabled', async () => void (await setOwner("status = 'disabled'"))],
    ['owner_expired', async () => void (await setOwner("expires_at = now() - interval '1 second'"))],
    ['owner_disabled', async () => void (await setOrganization("status = 'suspended'"))],
  ])('asks as often when it is %s, and opens and compares as often', async (reason, spoil) => {
    const text = (await spoil()) ?? key.text;
    const { counts, deps } = counting(pool);
    expect(await verifyApiKey(deps, text)).toMatchObject({ failure: { reason } });
    expect(counts).toEqual({ statements: 1, connections: 0, opened: 2 });
  });

  it('leaves no organization set on its connection', async () => {
    await verifyApiKey(keys.deps, key.text);
    const [row] = (await pool.query<{ count: number }>({ text: 'select count(*)::int from api_key' })).rows;
    expect(row).toEqual({ count: 0 });
  });
});

describe('what is kept of a secret', () => {
  it('is neither the text, nor its digest, nor a keyed hash', async () => {
    const [row] = await asSuperuser<{ row: string; secret_mac: null }>(
      `select api_key::text as row, secret_mac from api_key where key_id = $1`,
      [key.key.id],
    );
    expect(row?.secret_mac).toBeNull();
    expect(row?.row).not.toContain(key.text.slice(40, 60));
  });

  // Threat: whoever may write rows gives a key of his own another key's secret.
  it('does not open in the row of another key', async () => {
    const other = await keys.issue(organization, 'ci');
    await asSuperuser(
      `update api_key set secret_sealed = (select secret_sealed from api_key where key_id = $2) where key_id = $1`,
      [key.key.id, other.key.id],
    );
    await expect(verifyApiKey(keys.deps, key.text)).rejects.toThrow('does not open');
  });

  it('of before there were seals goes on verifying, and is sealed on its next use', async () => {
    const pepper = keys.deps.pepper.current();
    const mac = createHmac('sha256', pepper.bytes).update(key.text).digest();
    await asSuperuser(
      `update api_key set secret_sealed = null, secret_key_version = null, secret_mac = $2, pepper_version = $3
        where key_id = $1`,
      [key.key.id, mac, pepper.version],
    );
    expect(await verifyApiKey(keys.deps, key.text)).toMatchObject({ ok: true });
    const [row] = await asSuperuser<{ sealed: boolean }>(
      'select secret_sealed is not null as sealed from api_key where key_id = $1',
      [key.key.id],
    );
    expect(row).toEqual({ sealed: true });
    await setKey("secret_mac = '\\x00'::bytea || substring(secret_mac from 2)");
    expect(await verifyApiKey(keys.deps, key.text)).toMatchObject({ ok: true });
  });
});

describe('rotation', () => {
  const rotate = (overlapSeconds: number, id = key.key.id) =>
    rotateApiKey(keys.deps, {
      organizationId: organization.organizationId,
      keyId: id,
      actor: { type: 'system', id: 'test' },
      environment: 'test',
      overlapSeconds,
    });
  const isGood = async (text: string) => (await verifyApiKey(keys.deps, text)).ok;

  it('lets the secret before work until the overlap ends, and not a moment longer', async () => {
    const rotated = await rotate(60);
    invariant(rotated.ok, 'not rotated');
    const first = await verifyApiKey(keys.deps, key.text);
    expect(first).toMatchObject({ ok: true, value: { expiresAt: rotated.value.key.previousSecretUntil } });
    await setKey('previous_secret_until = now()');
    expect(await verifyApiKey(keys.deps, key.text)).toMatchObject({ failure: { reason: 'superseded' } });
    expect(await isGood(rotated.value.text)).toBe(true);
  });

  it('is won by the first of many at once, when there is an overlap', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => rotate(60)));
    const won = outcomes.filter((outcome) => outcome.ok);
    const lost = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.failure.code]));
    expect(won).toHaveLength(1);
    expect(lost).toEqual(Array.from({ length: 3 }, () => 'api_key.overlap_running'));
    expect(await isGood(key.text)).toBe(true);
    for (const { value } of won) expect(await isGood(value.text)).toBe(true);
  });

  it('leaves exactly one live secret after many at once without an overlap', async () => {
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => rotate(0)));
    const texts = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.text] : []));
    expect(texts).toHaveLength(4);
    const good = await Promise.all([key.text, ...texts].map(isGood));
    expect(good.filter(Boolean)).toHaveLength(1);
  });

  it('of a key of before there were seals needs a use first, unless nothing shall overlap', async () => {
    const older = `secret_sealed = null, secret_key_version = null, pepper_version = 1,
      secret_mac = decode(repeat('00', 32), 'hex')`;
    await setKey(older);
    expect(await rotate(60)).toMatchObject({ failure: { code: 'api_key.overlap_unavailable' } });
    expect(await rotate(0)).toMatchObject({ ok: true });
  });

  it.each(['revoked', 'disabled'])('refuses a key that is %s', async (status) => {
    await setKey(`status = '${status}'`);
    expect(await rotate(0)).toMatchObject({ failure: { code: 'api_key.not_active', status } });
  });

  it('finds no key of another tenant', async () => {
    const other = await seedOrganization(pool, { serviceAccounts: ['ci'] });
    const theirs = await keys.issue(other, 'ci');
    expect(await rotate(0, theirs.key.id)).toMatchObject({ failure: { code: 'api_key.not_found' } });
    expect(await isGood(theirs.text)).toBe(true);
  });
});

describe('what warm instances are told', () => {
  /** What the feed carries of a change: whom it concerns. */
  async function heardOf(change: () => Promise<unknown>): Promise<string[]> {
    const heard: string[] = [];
    const client = new pg.Client({ connectionString: database.appUrl });
    await client.connect();
    client.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await client.query('listen authorization_changed');
    await change();
    await client.query("select pg_notify('authorization_changed', 'end')");
    await expect.poll(() => heard.includes('end'), { timeout: 10_000 }).toBe(true);
    await client.end();
    return heard.filter((payload) => payload !== 'end');
  }
  const ofKey = () => `${organization.organizationId} ${key.key.id}`;
  const ofFacts = () => organization.organizationId;

  it.each([
    ["status = 'disabled'", true],
    ["scopes = '{a:b}'", true],
    ['expires_at = now()', true],
    ["allowed_networks = '{10.0.0.0/8}'", false],
    ['secret_number = secret_number + 1', false],
  ])('of %s: the key, and of what decisions rest on the organization too', async (change, isFact) => {
    const heard = await heardOf(() => setKey(change));
    expect(heard.sort()).toEqual([...(isFact ? [ofFacts()] : []), ofKey()]);
  });

  // Half a million new seals, and a last use a minute, must not empty every cache.
  it.each([
    'last_used_at = now()',
    'secret_sealed = secret_sealed || secret_sealed, secret_key_version = 2',
    `labels = '{"a": "b"}'`,
    'status = status',
  ])('of %s: nothing', async (change) => {
    expect(await heardOf(() => setKey(change))).toEqual([]);
  });
});
