import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  listen,
  type OrgTransaction,
  openPool,
  releaseLease,
  takeLease,
  withOrg,
} from '../../shared/db/index.ts';
import { type Clock, secondsAfter, systemClock } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import {
  openPrivateJwk,
  openSigningKeySet,
  type RotateSigningKeysDeps,
  requestRotation,
  rotateSigningKeys,
  signingKeyChannel,
} from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore as store } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const start = new Date('2030-01-01T00:00:00Z');
const actor = { type: 'user', id: 'usr_operator' } as const;
let now = start;
const clock: Clock = { now: () => now };

let fixture: SigningKeyFixture;
let deps: RotateSigningKeysDeps;

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  deps = {
    ...fixture.rotation,
    policy: { ...fixture.rotation.policy, intervalSeconds: 1_000 },
  };
});

afterAll(() => fixture.close());

beforeEach(async () => {
  now = start;
  await fixture.sql('truncate signing_key, signing_key_rotation_request, audit_event, outbox, lease');
});

const at = (seconds: number) => secondsAfter(start, seconds);
const keys = () =>
  fixture.sql(`select key_id, published_at, active_from, verify_until, private_jwk_sealed is null as erased
               from signing_key order by active_from`);

async function rotate(): Promise<{ published: string | undefined; retired: readonly string[] }> {
  const rotated = await rotateSigningKeys(deps);
  if (!rotated.ok) throw new Error(rotated.failure.code);
  return { published: rotated.value.published[0]?.keyId, retired: rotated.value.retired };
}

describe('rotation', () => {
  test('makes the first key active at once, and a doubled tick changes nothing', async () => {
    const first = await rotate();
    expect(await rotate()).toEqual({ published: undefined, retired: [] });
    expect(await keys()).toEqual([
      { key_id: first.published, published_at: start, active_from: start, verify_until: null, erased: false },
    ]);
    expect(await fixture.eventsOf('uos.signing-key.published.v1')).toMatchObject([
      {
        subject: first.published,
        leaf: {
          orgid: platformOrganizationId,
          data: {
            algorithm: 'ES256',
            activeFrom: start.toISOString(),
            actor: { type: 'system', id: 'key-rotation' },
          },
        },
      },
    ]);
  });

  test('publishes a successor ahead of its use, and erases the old key when its last token has died', async () => {
    const first = await rotate();
    now = at(1_000);
    const second = await rotate();
    expect(await keys()).toMatchObject([
      { key_id: first.published, verify_until: at(1_420) },
      { key_id: second.published, active_from: at(1_060), verify_until: null },
    ]);
    now = at(1_419);
    expect((await rotate()).retired).toEqual([]);
    now = at(1_420);
    expect((await rotate()).retired).toEqual([first.published]);
    expect(await keys()).toMatchObject([{ erased: true }, { erased: false }]);
    expect(await fixture.eventsOf('uos.signing-key.retired.v1')).toMatchObject([
      { subject: first.published },
    ]);
    expect((await openPrivateJwk(deps, first.published ?? '')).ok).toBe(false);
  });

  test('a lost tick only delays: the next one does what both would have done', async () => {
    const first = await rotate();
    now = at(1_000);
    const second = await rotate();
    now = at(5_000);
    const third = await rotate();
    expect(third.retired).toEqual([first.published]);
    expect(await keys()).toMatchObject([
      { key_id: first.published, erased: true },
      { key_id: second.published, verify_until: at(5_420) },
      { key_id: third.published, active_from: at(5_060) },
    ]);
  });

  test('two, or eight, processes that tick at once make one key', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => rotateSigningKeys(deps)));
    expect(await keys()).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.ok && outcome.value.published.length > 0)).toHaveLength(1);
    for (const outcome of outcomes) {
      if (!outcome.ok) expect(outcome.failure).toEqual({ code: 'signing_key.rotation_busy' });
    }
    expect(await fixture.eventsOf('uos.signing-key.published.v1')).toHaveLength(1);
  });

  test('a holder that lost its lease while it slept changes nothing', async () => {
    const slow = await takeLease(fixture.pool, { name: 'key-rotation', holder: 'slow', ttlSeconds: 0 });
    expect(slow).toBeDefined();
    await rotate();
    const confirmed = await withOrg(fixture.pool, platformOrganizationId, (tx) =>
      store.confirmLease(tx, slow ?? { name: '', holder: '', fence: 0 }),
    );
    expect(confirmed).toBe(false);
  });

  test('does nothing while another run holds the lease, and goes on once that has ended', async () => {
    const held = await takeLease(fixture.pool, { name: 'key-rotation', holder: 'other', ttlSeconds: 30 });
    expect(await rotateSigningKeys(deps)).toEqual({
      ok: false,
      failure: { code: 'signing_key.rotation_busy' },
    });
    expect(await keys()).toEqual([]);
    if (held !== undefined) await releaseLease(fixture.pool, held);
    expect((await rotate()).published).toBeDefined();
  });

  test('a key whose event cannot be recorded is not published, and the lease is given back', async () => {
    const broken = { ...deps, events: { record: async () => Promise.reject(new Error('no room')) } };
    await expect(rotateSigningKeys(broken)).rejects.toThrow('no room');
    expect(await keys()).toEqual([]);
    expect((await rotate()).published).toBeDefined();
  });
});

describe('a run that was killed half-way', () => {
  test('leaves nothing behind, and the next run after its lease does the work', async () => {
    // Stands still after the key was added, with the transaction open, until its connection is cut.
    const stuck = {
      ...deps.store,
      closeRequests: async (tx: OrgTransaction) => {
        await sql`select pg_sleep(60)`.execute(tx);
      },
    };
    const pool = openPool({
      url: fixture.database.appUrl,
      applicationName: 'test-killed',
      statementTimeoutMs: 60_000,
    });
    const killed = rotateSigningKeys({ ...deps, pool, store: stuck }).catch((error: Error) => error.message);
    const cut = () =>
      fixture.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and query = 'select pg_sleep(60)'`,
      );
    await expect.poll(cut, { timeout: 30_000, interval: 10 }).toHaveLength(1);
    expect(await killed).toContain('terminating connection');
    await pool.close();
    expect(await keys()).toEqual([]);
    // A killed process gives nothing back: its lease has to run out.
    await fixture.sql(`update lease set holder = 'killed', expires_at = now() + interval '15 s'`);
    expect(await rotateSigningKeys(deps)).toMatchObject({ failure: { code: 'signing_key.rotation_busy' } });
    await fixture.sql(`update lease set expires_at = now() - interval '1 s'`);
    expect((await rotate()).published).toBeDefined();
    expect(await keys()).toHaveLength(1);
  });
});

describe('a clock that jumped', () => {
  test('of one machine alone changes nothing: the clock of the database decides', async () => {
    await rotate();
    const year = 365 * 86_400;
    for (const seconds of [year, -year]) {
      const wrong: Clock = { now: () => at(seconds) };
      expect(await rotateSigningKeys({ ...deps, clock: wrong })).toMatchObject({
        value: { published: [], retired: [] },
      });
    }
    expect(await keys()).toHaveLength(1);
  });

  test('of the database, forward and back: the key from the future signs after the lead, not in a year', async () => {
    await rotate();
    now = at(365 * 86_400);
    const ahead = await rotate();
    now = at(10);
    expect(await rotate()).toEqual({ published: undefined, retired: [] });
    expect(await keys()).toMatchObject([
      { verify_until: at(430) },
      { key_id: ahead.published, published_at: at(10), active_from: at(70), verify_until: null },
    ]);
  });
});

describe('two algorithms', () => {
  beforeEach(() => {
    deps = { ...deps, policy: { ...deps.policy, algorithms: ['ES256', 'EdDSA'] } };
  });
  afterEach(() => {
    deps = { ...deps, policy: { ...deps.policy, algorithms: ['ES256'] } };
  });
  const shown = () =>
    fixture.sql(
      'select algorithm, active_from, verify_until from signing_key order by active_from, algorithm',
    );

  test('each has a key from the first tick, active at once', async () => {
    await rotate();
    expect(await shown()).toEqual([
      { algorithm: 'ES256', active_from: start, verify_until: null },
      { algorithm: 'EdDSA', active_from: start, verify_until: null },
    ]);
  });

  test('a request brings a successor of each', async () => {
    await rotate();
    now = at(10);
    await requestRotation(deps, { actor });
    await rotate();
    expect((await shown()).slice(2)).toEqual([
      { algorithm: 'ES256', active_from: at(70), verify_until: null },
      { algorithm: 'EdDSA', active_from: at(70), verify_until: null },
    ]);
    expect(await fixture.sql('select 1 from signing_key_rotation_request where done_at is null')).toEqual([]);
  });

  test('one that is no longer wanted verifies its last tokens and retires', async () => {
    await rotate();
    const only = { ...deps, policy: { ...deps.policy, algorithms: ['EdDSA'] as const } };
    now = at(10);
    await rotateSigningKeys(only);
    expect(await shown()).toMatchObject([
      { algorithm: 'ES256', verify_until: at(370) },
      { algorithm: 'EdDSA', verify_until: null },
    ]);
    now = at(370);
    expect(await rotateSigningKeys(only)).toMatchObject({ value: { retired: [expect.any(String)] } });
  });

  // Threat: a row whose algorithm was changed makes verifiers take a key for what it is not.
  test('a row that names another algorithm than its key is for is not believed', async () => {
    await rotate();
    await fixture.sql(`update signing_key set algorithm = 'EdDSA' where algorithm = 'ES256'`);
    const set = openSigningKeySet({ pool: fixture.pool, store, clock });
    await expect(set.current()).rejects.toThrow('is not for EdDSA');
  });
});

describe('a request', () => {
  const openRequests = () => fixture.sql('select 1 from signing_key_rotation_request where done_at is null');

  test('is a row and an event that wakes key-rotation', async () => {
    const request = await requestRotation(deps, { actor });
    expect(await fixture.sql('select topic from outbox order by topic')).toEqual([
      { topic: 'audit.identity' },
      { topic: 'key-rotation.requested' },
    ]);
    expect(await fixture.eventsOf('uos.signing-key.rotation-requested.v1')).toMatchObject([
      { subject: request.requestId, leaf: { data: { actor, requestId: request.requestId } } },
    ]);
  });

  test('brings the successor early, once, however often it was made', async () => {
    await rotate();
    now = at(10);
    await requestRotation(deps, { actor });
    await requestRotation(deps, { actor });
    expect((await rotate()).published).toBeDefined();
    expect(await openRequests()).toEqual([]);
    expect((await rotate()).published).toBeUndefined();
    expect(await keys()).toMatchObject([{ verify_until: at(430) }, { active_from: at(70) }]);
  });

  test('by a machine whose clock is behind is not taken for older than the newest key', async () => {
    await rotate();
    now = at(1_000);
    await rotate();
    now = at(1_010);
    await requestRotation({ ...deps, clock: { now: () => secondsAfter(now, -60) } }, { actor });
    expect((await rotate()).published).toBeUndefined();
    expect(await openRequests()).toHaveLength(1);
  });

  test('made while a successor waits is kept, and answered after that one is active', async () => {
    await rotate();
    now = at(1_000);
    await rotate();
    now = at(1_010);
    await requestRotation(deps, { actor });
    expect((await rotate()).published).toBeUndefined();
    expect(await openRequests()).toHaveLength(1);
    now = at(1_060);
    expect((await rotate()).published).toBeDefined();
    expect(await openRequests()).toEqual([]);
  });
});

describe('at rest', () => {
  test('the private part is sealed under its key id, and the public part shows nothing of it', async () => {
    const { published } = await rotate();
    const opened = await openPrivateJwk(deps, published ?? '');
    expect(opened).toMatchObject({ ok: true, value: { kty: 'EC', crv: 'P-256' } });
    const d = opened.ok ? opened.value.d : '';
    const [row] = await fixture.sql('select public_jwk, private_jwk_sealed from signing_key');
    expect(Object.keys(row?.['public_jwk'] as object).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    const sealed = row?.['private_jwk_sealed'] as Buffer;
    expect(sealed.includes(Buffer.from(d)) || sealed.includes(Buffer.from(d, 'base64url'))).toBe(false);
    expect(JSON.stringify(await fixture.sql('select leaf from audit_event'))).not.toContain(d);
  });

  // Threat: write access to the table is used to make the issuer sign with a key of another row.
  test('a private part that was moved to another row does not open', async () => {
    const first = await rotate();
    now = at(1_000);
    const second = await rotate();
    await fixture.sql(
      `update signing_key set private_jwk_sealed = (select private_jwk_sealed from signing_key where key_id = $1)
       where key_id = $2`,
      [first.published, second.published],
    );
    expect(await openPrivateJwk(deps, second.published ?? '')).toEqual({
      ok: false,
      failure: { code: 'signing_key.private_part_unavailable' },
    });
  });
});

test('a warm key set learns of a new key by notification alone', async () => {
  await rotate();
  const set = openSigningKeySet({ pool: fixture.pool, store, clock, refreshSeconds: 3_600 });
  expect(await set.current()).toHaveLength(1);
  const feed = listen({
    url: fixture.database.appUrl,
    applicationName: 'test-feed',
    channels: [signingKeyChannel],
    clock: systemClock,
    onNotification: set.invalidate,
  });
  try {
    await expect.poll(() => feed.freshAsOf(), { timeout: 10_000 }).toBeDefined();
    now = at(1_000);
    await rotate();
    await expect.poll(() => set.current(), { timeout: 10_000 }).toHaveLength(2);
  } finally {
    await feed.close();
  }
});
