import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { macOf } from '../../shared/api-key/api-key-secret.ts';
import { withOrg, withSystem } from '../../shared/db/index.ts';
import { type Clock, secondsAfter } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import {
  continueDataKeyRotations,
  listDataKeyRotations,
  type RewrapDeps,
  type RotatedPurpose,
  requestDataKeyRotation,
  rewrapDataKeys,
  rotatedPurposes,
} from '../../shared/rewrap/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing, refreshSeconds } from '../../shared/secret/index.ts';
import { revokeSigningKey } from '../../shared/signing-key/index.ts';
import { publishSigningKey } from '../../shared/signing-key/publish-signing-key.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createSealedWorld, type SealedWorld } from '../support/sealed-world.ts';

// In the past: to the database, which asks its own clock, every version that seals here seals already.
let now = secondsAfter(new Date(), -30 * 86_400);
const clock: Clock = { now: () => now };
const pass = (seconds: number) => {
  now = secondsAfter(now, seconds);
};
const policy = { leadSeconds: 300, graceSeconds: 3_600, sliceSeconds: 30 };
const actor = { type: 'user', id: 'usr_operator' } as const;
let world: SealedWorld;
let deps: RewrapDeps;

beforeAll(async () => {
  world = await createSealedWorld(clock);
});
afterAll(() => world.close());
beforeEach(async () => {
  deps = await world.rewrapDeps(policy);
  await letEnd();
});

async function request(purpose: RotatedPurpose) {
  // Ids of one millisecond have no order.
  pass(1);
  const requested = await requestDataKeyRotation(deps, { purpose, actor });
  expect(requested).toMatchObject({ ok: true });
}
async function tick() {
  const advanced = await continueDataKeyRotations(deps);
  if (!advanced.ok) throw new Error(advanced.failure.code);
  expect(advanced.value.failed).toEqual([]);
}
const latest = async () => (await listDataKeyRotations(deps, { limit: 1 }))[0];
const versions = async (purpose: string) =>
  (await world.sql('select version from data_key where purpose = $1 order by version', [purpose])).map(
    ({ version }) => Number(version),
  );
const versionsInUse = async (relation: string, column: string) =>
  (
    await world.sql(
      `select distinct sealed_key_version(${column}) as version from ${relation}
        where ${column} is not null order by 1`,
    )
  ).map(({ version }) => Number(version));

/** As days of ticks would. */
async function letEnd() {
  await tick();
  pass(policy.leadSeconds);
  await tick();
  pass(policy.graceSeconds);
  await tick();
}

/** From the request to the end. */
async function rotate(purpose: RotatedPurpose) {
  await request(purpose);
  await letEnd();
  return latest();
}

describe('a data key gets a successor', () => {
  test.each(Object.keys(rotatedPurposes) as RotatedPurpose[])(
    'for %s: everything stays usable, and the old version ends',
    async (purpose) => {
      const ring = await openKeyRing({ ...deps, store: deps.keys }, purpose);
      const before = ring.current().version;
      expect(await rotate(purpose)).toMatchObject({ status: 'finished', rowsUnreadable: 0 });
      const kept = purpose === 'oidc-record' ? [1] : [];
      expect(await versions(purpose)).toEqual([...new Set([...kept, before + 1])]);
      for (const { relation, column } of rotatedPurposes[purpose].columns)
        expect((await versionsInUse(relation, column)).every((version) => version === before + 1)).toBe(true);
      expect(await world.findUnusable()).toEqual([]);
    },
  );

  test('that opens at once and seals only when its time has come', async () => {
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'git-source');
    const old = ring.current().version;
    await request('git-source');
    await tick();
    const ringOfALaterStart = await openKeyRing({ ...deps, store: deps.keys }, 'git-source');
    for (const held of [ring, ringOfALaterStart]) expect(held.current().version).toBe(old);
    expect(await ring.find(old + 1)).toMatchObject({ version: old + 1 });
    pass(policy.leadSeconds - 1);
    expect(ringOfALaterStart.current().version).toBe(old);
    pass(1);
    expect(ringOfALaterStart.current().version).toBe(old + 1);
  });

  test('that a ring in use finds by itself within its refresh time', async () => {
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'signing-key');
    const old = ring.current().version;
    await request('signing-key');
    await tick();
    pass(refreshSeconds);
    ring.current();
    await expect.poll(() => ring.find(old + 1), { timeout: 10_000 }).toBeDefined();
    pass(policy.leadSeconds);
    await expect.poll(() => ring.current().version, { timeout: 10_000 }).toBe(old + 1);
  });

  // The emergency brake is used once in years, in a process that has sealed nothing since it started.
  test('before a signing key is revoked: with a ring that was idle since, the first call succeeds', async () => {
    const signingKeys = {
      pool: world.pool,
      store: postgresSigningKeyStore,
      events: deps.events,
      ring: await openKeyRing({ ...deps, store: deps.keys }, 'signing-key'),
    };
    const { keyId } = await withOrg(world.pool, platformOrganizationId, (tx) =>
      publishSigningKey(signingKeys, tx, { algorithm: 'EdDSA', now, activeFrom: now, actor }),
    );
    expect(await rotate('signing-key')).toMatchObject({ status: 'finished' });
    expect(await revokeSigningKey(signingKeys, { keyId, actor })).toMatchObject({ ok: true });
    expect(await versionsInUse('signing_key', 'private_jwk_sealed')).toEqual(await versions('signing-key'));
  });

  test('with its progress told, and every step recorded', async () => {
    await rotate('api-key-pepper');
    expect(await latest()).toMatchObject({ rowsTotal: 18, rowsDone: 18, rowsUnreadable: 0 });
    const rows = await world.sql(
      `select type from audit_event where type like 'uos.data-key.%' order by event_id desc limit 3`,
    );
    expect(rows.map(({ type }) => type).sort()).toEqual([
      'uos.data-key.added.v1',
      'uos.data-key.destroyed.v1',
      'uos.data-key.rotation-requested.v1',
    ]);
  });

  test('once: a second request while one is open is refused', async () => {
    await request('git-source');
    const again = () => requestDataKeyRotation(deps, { purpose: 'git-source', actor });
    const refused = { failure: { code: 'data_key_rotation.already_open' } };
    expect(await again()).toMatchObject(refused);
    await tick();
    expect(await again()).toMatchObject(refused);
    await request('signing-key');
  });

  // A key may leak while it retires another, and a row that does not open makes that last for ever.
  test('also while the one before only retires: the next takes over what it left', async () => {
    const [row] = await world.sql('select subject_id, key_sealed from subject_key order by 1 limit 1');
    const sealed = row?.['key_sealed'];
    if (!Buffer.isBuffer(sealed)) throw new Error('there is a sealed key');
    const put = (box: Buffer) =>
      world.sql('update subject_key set key_sealed = $2 where subject_id = $1', [row?.['subject_id'], box]);
    const broken = Buffer.from(sealed);
    broken.writeUInt8(broken.readUInt8(20) ^ 1, 20);
    await put(broken);
    const stuck = await rotate('personal-data');
    expect(stuck).toMatchObject({ status: 'retiring', rowsUnreadable: 1 });
    const next = await rotate('personal-data');
    expect(next).toMatchObject({ status: 'retiring', rowsUnreadable: 1 });
    expect(next?.targetVersion).toBe(Number(stuck?.targetVersion) + 1);
    expect(await listDataKeyRotations(deps, { limit: 2 })).toMatchObject([
      { id: next?.id },
      { id: stuck?.id, status: 'superseded', finishedAt: next?.requestedAt },
    ]);
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'personal-data');
    expect(ring.current().version).toBe(next?.targetVersion);
    await put(sealed);
    expect(await rotate('personal-data')).toMatchObject({ status: 'finished', rowsUnreadable: 0 });
    expect(await versions('personal-data')).toEqual([Number(next?.targetVersion) + 1]);
    expect(await world.findUnusable()).toEqual([]);
  });

  test('by one of two who ask at once', async () => {
    const asked = await Promise.all(
      Array.from({ length: 4 }, () => requestDataKeyRotation(deps, { purpose: 'git-source', actor })),
    );
    expect(asked.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test('that a run which outlived its lease does not take back', async () => {
    await request('git-source');
    const slow = await latest();
    await tick();
    if (slow === undefined) throw new Error('there is a rotation');
    pass(1);
    const saved = withOrg(world.pool, platformOrganizationId, (tx) =>
      deps.rotations.save(tx, { ...slow, updatedAt: now }, slow),
    );
    expect(await saved).toBe(false);
    expect(await latest()).toMatchObject({ status: 'waiting' });
  });

  test('in one run at a time', async () => {
    await request('git-source');
    const [entered, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held: RewrapDeps['rotations'] = {
      ...deps.rotations,
      listOpen: async (tx) => {
        entered.resolve();
        await released.promise;
        return deps.rotations.listOpen(tx);
      },
    };
    const first = continueDataKeyRotations({ ...deps, rotations: held });
    await entered.promise;
    const busy = { ok: false, failure: { code: 'data_key_rotation.busy' } };
    expect(await continueDataKeyRotations(deps)).toEqual(busy);
    released.resolve();
    expect(await first).toMatchObject({ ok: true });
    expect(await continueDataKeyRotations(deps)).toMatchObject({ ok: true });
  });
});

describe('no row is left behind', () => {
  async function untilRetiring(purpose: RotatedPurpose) {
    await request(purpose);
    await tick();
    pass(policy.leadSeconds);
    await tick();
    expect(await latest()).toMatchObject({ status: 'retiring' });
  }

  test('that a process sealed with the old version after the walk', async () => {
    await untilRetiring('git-source');
    const target = (await latest())?.targetVersion;
    const [row] = await world.sql('select source_id from git_source');
    const id = String(row?.['source_id']);
    const slow = { ...deps, clock: { now: () => secondsAfter(now, -policy.leadSeconds) } };
    const slowRing = await openKeyRing({ ...slow, store: deps.keys }, 'git-source');
    const late = await slowRing.seal('late', id);
    const kept = await world.sql('select webhook_secret_sealed as box from git_source');
    await world.sql('update git_source set webhook_secret_sealed = $1', [late]);
    pass(policy.graceSeconds);
    await tick();
    expect((await versions('git-source')).length).toBeGreaterThan(1);
    expect(await versionsInUse('git_source', 'webhook_secret_sealed')).toEqual([target]);
    pass(policy.graceSeconds);
    await tick();
    expect(await latest()).toMatchObject({ status: 'finished' });
    expect(await versions('git-source')).toEqual([target]);
    await world.sql('update git_source set webhook_secret_sealed = $1', [kept[0]?.['box']]);
    expect(await world.findUnusable()).toEqual([]);
  });

  // A process that slept through the grace time must fail, not write what nobody can open.
  test('that a process would write with a version that is gone: the database refuses it', async () => {
    const stale = await openKeyRing({ ...deps, store: deps.keys }, 'git-source');
    const [row] = await world.sql('select source_id from git_source');
    const late = await stale.seal('late', String(row?.['source_id']));
    await rotate('git-source');
    const write = withOrg(world.pool, platformOrganizationId, (tx) =>
      tx.updateTable('git_source').set({ webhook_secret_sealed: late }).execute(),
    );
    await expect(write).rejects.toThrow(/data key \d+ of git-source is gone/);
  });

  test('that still rests on an HMAC of the old version', async () => {
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'api-key-pepper');
    const old = ring.current().version;
    const [row] = await world.sql(
      'select key_id, secret_sealed, secret_key_version from api_key where secret_sealed is not null limit 1',
    );
    await world.sql(
      `update api_key set secret_sealed = null, secret_key_version = null, secret_mac = $2, pepper_version = $3
        where key_id = $1`,
      [row?.['key_id'], Buffer.alloc(32), old],
    );
    expect(await rotate('api-key-pepper')).toMatchObject({ status: 'retiring' });
    expect(await versions('api-key-pepper')).toContain(old);
    await world.sql(
      'update api_key set secret_mac = null, secret_sealed = $2, secret_key_version = $3 where key_id = $1',
      [row?.['key_id'], row?.['secret_sealed'], row?.['secret_key_version']],
    );
    for (let times = 0; times < 2; times++) {
      pass(policy.graceSeconds);
      await tick();
    }
    expect(await latest()).toMatchObject({ status: 'finished' });
    expect(await world.findUnusable()).toEqual([]);
  });

  const ended = [
    { reason: 'revoked', assignment: `status = 'revoked'`, values: [] },
    { reason: 'expired', assignment: 'expires_at = $4', values: [secondsAfter(now, -1)] },
  ];
  test.each(ended)('but one of a key that is $reason and proves nothing any more', async (end) => {
    const { reason, assignment, values } = end;
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'api-key-pepper');
    const issued = await world.issueApiKey();
    await world.sql(
      `update api_key set secret_sealed = null, secret_key_version = null, secret_mac = $2, pepper_version = $3,
        ${assignment} where key_id = $1`,
      [issued.id, macOf(ring.current().bytes, issued.text), ring.current().version, ...values],
    );
    expect(await issued.verify()).toMatchObject({ failure: { reason } });
    expect(await rotate('api-key-pepper')).toMatchObject({ status: 'finished' });
    expect(await world.findUnusable()).toEqual([]);
    expect(await issued.verify()).toMatchObject({ failure: { reason: 'wrong_secret' } });
  });

  test('that does not open: it is told, left as it is, and keeps the old version', async () => {
    const [row] = await world.sql(
      'select key_id, secret_sealed from api_key where secret_sealed is not null limit 1',
    );
    const broken = Buffer.from(row?.['secret_sealed'] as Buffer);
    broken.writeUInt8(broken.readUInt8(20) ^ 1, 20);
    await world.sql('update api_key set secret_sealed = $2 where key_id = $1', [row?.['key_id'], broken]);
    const before = await versions('api-key-pepper');
    expect(await rotate('api-key-pepper')).toMatchObject({ status: 'retiring', rowsUnreadable: 1 });
    expect(await versions('api-key-pepper')).toEqual([...before, Math.max(...before) + 1]);
    const [left] = await world.sql('select secret_sealed from api_key where key_id = $1', [row?.['key_id']]);
    expect(left?.['secret_sealed']).toEqual(broken);
    await world.sql('update api_key set secret_sealed = $2 where key_id = $1', [
      row?.['key_id'],
      row?.['secret_sealed'],
    ]);
  });

  test('that somebody may still ask for again; one that has expired is let go', async () => {
    const ring = await openKeyRing({ ...deps, store: deps.keys }, 'idempotency');
    await world.sql(
      `insert into idempotency_record select org_id, 'a-key', '', 201, $1, now() - interval '1 hour'
        from organization limit 1`,
      [await ring.seal('an answer', 'context')],
    );
    expect(await rotate('idempotency')).toMatchObject({ status: 'retiring' });
    await world.sql(`update idempotency_record set created_at = now() - interval '3 days'`);
    pass(policy.graceSeconds);
    await tick();
    expect(await latest()).toMatchObject({ status: 'finished' });
  });

  test('by destroying a version without a successor', async () => {
    const destroy = withSystem(world.pool, (tx) =>
      postgresDataKeyStore.destroy(tx, { purpose: 'idempotency', below: 99, kept: [] }),
    );
    await expect(destroy).rejects.toThrow('no successor');
  });
});

describe('a slice of time', () => {
  test('ends the work, and the next goes on from there', async () => {
    await request('api-key-pepper');
    await tick();
    pass(policy.leadSeconds);
    // Every look at the clock takes a while: a slice holds a few steps.
    let looks = 0;
    const ticking: Clock = {
      now: () => {
        looks += 1;
        return secondsAfter(now, looks / 100);
      },
    };
    const short = { ...deps, clock: ticking, policy: { ...policy, sliceSeconds: 0.1 } };
    const seen: string[] = [];
    for (let slices = 0; slices < 60; slices++) {
      await continueDataKeyRotations(short);
      const rotation = await latest();
      seen.push(`${rotation?.rowsDone}`);
      if (rotation?.status === 'retiring') break;
    }
    expect(new Set(seen).size).toBeGreaterThan(1);
    expect(await latest()).toMatchObject({ status: 'retiring', rowsDone: 18 });
    expect(await world.findUnusable()).toEqual([]);
  });
});

describe('a data key that does not unwrap', () => {
  test('holds up no other key and no other rotation', async () => {
    await world.addWrappingKey();
    deps = await world.rewrapDeps(policy);
    const wrapped = `(select wrapped_key from data_key where purpose = 'oidc-record' and version = 1)`;
    const [kept] = await world.sql(`select ${wrapped} as bytes`);
    await world.sql(
      `update data_key set wrapped_key = 'garbage' where purpose = 'oidc-record' and version = 1`,
    );
    const [count] = await world.sql('select count(*) as n from data_key');
    const { done, unreadable } = await rewrapDataKeys(deps);
    expect(done).toHaveLength(Number(count?.['n']) - 1);
    expect(unreadable).toMatchObject([{ purpose: 'oidc-record', version: 1 }]);
    expect(await rotate('git-source')).toMatchObject({ purpose: 'git-source', status: 'finished' });
    await world.sql(`update data_key set wrapped_key = $1 where purpose = 'oidc-record' and version = 1`, [
      kept?.['bytes'],
    ]);
    expect(await rewrapDataKeys(deps)).toMatchObject({ done: [{ purpose: 'oidc-record' }], unreadable: [] });
    expect(await world.findUnusable()).toEqual([]);
  });
});

describe('a rotation that cannot go on', () => {
  test('is told, and holds up no other', async () => {
    await request('personal-data');
    await request('git-source');
    const keys: RewrapDeps['keys'] = {
      ...deps.keys,
      list: (tx, purpose) => {
        if (purpose === 'personal-data') throw new Error('its keys cannot be read');
        return deps.keys.list(tx, purpose);
      },
    };
    expect(await continueDataKeyRotations({ ...deps, keys })).toMatchObject({
      value: {
        advanced: [{ purpose: 'git-source', status: 'waiting' }],
        failed: [{ rotation: { purpose: 'personal-data' } }],
      },
    });
  });
});

describe('a new wrapping key', () => {
  test('takes over every data key, and nothing rests on the one before it', async () => {
    await world.addWrappingKey();
    deps = await world.rewrapDeps(policy);
    const wrappingKeyId = await deps.wrapper.currentKeyId();
    const [count] = await world.sql('select count(*) as n from data_key');
    expect((await rewrapDataKeys(deps)).done).toHaveLength(Number(count?.['n']));
    expect(await rewrapDataKeys(deps)).toEqual({ done: [], unreadable: [] });
    expect(await world.sql('select distinct wrapping_key_id as id from data_key')).toEqual([
      { id: wrappingKeyId },
    ]);
    await world.removeOldWrappingKeys();
    expect(await world.findUnusable()).toEqual([]);
  });
});

test('the database and the code name the same sealed columns', async () => {
  const rows = await world.sql(
    'select purpose, relation, column_name, scope from sealed_column where is_resealed',
  );
  const inDatabase = rows.map((row) => Object.values(row).join(' '));
  const inCode = Object.entries(rotatedPurposes).flatMap(([purpose, { columns }]) =>
    columns.map(({ relation, column, scope }) => [purpose, relation, column, scope].join(' ')),
  );
  expect(inDatabase.sort()).toEqual(inCode.sort());
});

// A column of boxes that nobody registered would lose its data key.
test('every column of boxes is registered, by its name', async () => {
  const rows = await world.sql(
    `select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and column_name like '%sealed%'
      and not exists (select from sealed_column c where c.relation = table_name and c.column_name = columns.column_name)`,
  );
  expect(rows).toEqual([]);
});
