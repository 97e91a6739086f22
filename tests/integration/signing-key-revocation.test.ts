import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../shared/db/index.ts';
import { type Clock, secondsAfter, systemClock } from '../../shared/kernel/index.ts';
import {
  activeKey,
  openPrivateJwk,
  openSigningKeySet,
  type RotateSigningKeysDeps,
  revokeSigningKey,
  rotateSigningKeys,
  type SigningAlgorithm,
  signingKeyChannel,
} from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore as store } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createAccessTokenVerifier } from '../../shared/token/index.ts';
import { audience, issuer, mintTestToken } from '../support/test-token.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const start = new Date('2030-01-01T00:00:00Z');
const actor = { type: 'user', id: 'usr_operator' } as const;
const algorithm: SigningAlgorithm = 'EdDSA';
let now = start;
const clock: Clock = { now: () => now };

let fixture: SigningKeyFixture;
let deps: RotateSigningKeysDeps;

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  deps = {
    ...fixture.rotation,
    policy: { ...fixture.rotation.policy, algorithms: ['ES256', 'EdDSA'], intervalSeconds: 1_000 },
  };
});

afterAll(() => fixture.close());

beforeEach(async () => {
  now = start;
  await fixture.sql('truncate signing_key, signing_key_rotation_request, audit_event, outbox, lease');
  await rotate();
});

const at = (seconds: number) => secondsAfter(start, seconds);
const revoke = (keyId: string, reason?: string) =>
  revokeSigningKey(deps, { keyId, actor, ...(reason === undefined ? {} : { reason }) });

async function rotate(): Promise<void> {
  expect(await rotateSigningKeys(deps)).toMatchObject({ ok: true });
}

/** As an issuer sees them, with a clock of its own. */
async function readKeys(clockOfReader: Clock = clock) {
  const keys = await openSigningKeySet({ pool: fixture.pool, store, clock: clockOfReader }).current();
  const own = keys.filter((key) => key.algorithm === algorithm);
  return {
    ids: own.map(({ keyId }) => keyId),
    active: activeKey(own, { algorithm, now: clockOfReader.now() }),
  };
}

async function requireActive(): Promise<string> {
  const { active } = await readKeys();
  expect(active).toBeDefined();
  return active?.keyId ?? '';
}

describe('the key that signs', () => {
  test('leaves the set at once, and a new key signs at once, in one transaction with its events', async () => {
    const leaked = await requireActive();
    now = at(100);
    expect(await revoke(leaked, 'It was in a core dump')).toEqual({
      ok: true,
      value: { keyId: leaked, algorithm, revokedAt: now },
    });
    const { ids, active } = await readKeys();
    expect(ids).toEqual([active?.keyId]);
    expect(ids).not.toContain(leaked);
    expect(await fixture.eventsOf('uos.signing-key.revoked.v1')).toMatchObject([
      {
        subject: leaked,
        leaf: {
          data: { actor, algorithm, reason: 'It was in a core dump', replacedBy: active?.keyId },
        },
      },
    ]);
    const published = await fixture.eventsOf('uos.signing-key.published.v1');
    expect(published.at(-1)).toMatchObject({ subject: active?.keyId, leaf: { data: { actor } } });
  });

  test('is erased: nobody can sign with it again', async () => {
    const leaked = await requireActive();
    await revoke(leaked);
    expect((await openPrivateJwk(deps, leaked)).ok).toBe(false);
    expect((await openPrivateJwk(deps, await requireActive())).ok).toBe(true);
  });

  test('gives way to its published successor, which verifiers know already', async () => {
    const leaked = await requireActive();
    now = at(1_000);
    await rotate();
    const [, successor] = (await readKeys()).ids;
    now = at(1_001);
    await revoke(leaked);
    expect(await readKeys()).toMatchObject({ ids: [successor], active: { keyId: successor } });
  });

  test('is not followed by the key before it, even for an issuer whose clock is 29 s behind', async () => {
    now = at(1_000);
    await rotate();
    now = at(1_100);
    const leaked = await requireActive();
    await revoke(leaked);
    const behind = await readKeys({ now: () => at(1_071) });
    expect(behind.active?.keyId).toBe(await requireActive());
    expect(behind.ids).toHaveLength(2);
  });

  test('of one algorithm leaves the other alone', async () => {
    const before = await fixture.sql(`select * from signing_key where algorithm = 'ES256'`);
    await revoke(await requireActive());
    expect(await fixture.sql(`select * from signing_key where algorithm = 'ES256'`)).toEqual(before);
  });
});

test('a key that waits for its time: the one that signs goes on, and gets another successor', async () => {
  const signing = await requireActive();
  now = at(1_000);
  await rotate();
  const [, waiting] = (await readKeys()).ids;
  await revoke(waiting ?? '');
  expect(await readKeys()).toMatchObject({
    ids: [signing],
    active: { keyId: signing, verifyUntil: undefined },
  });
  await rotate();
  expect((await readKeys()).ids).toHaveLength(2);
});

test('a key that only verifies: nothing else changes', async () => {
  const old = await requireActive();
  now = at(1_000);
  await rotate();
  now = at(1_060);
  const signing = await requireActive();
  await revoke(old);
  expect(await readKeys()).toMatchObject({ ids: [signing], active: { keyId: signing } });
});

describe('repeated, unknown, or half done', () => {
  test('repeating it answers the same and does nothing', async () => {
    const leaked = await requireActive();
    const first = await revoke(leaked);
    now = at(50);
    expect(await revoke(leaked)).toEqual(first);
    expect(await fixture.eventsOf('uos.signing-key.revoked.v1')).toHaveLength(1);
    expect((await readKeys()).ids).toHaveLength(1);
  });

  test('a key that nobody published, or that retired by its age, is unknown', async () => {
    const unknown = { ok: false, failure: { code: 'signing_key.unknown' } };
    expect(await revoke('x'.repeat(43))).toEqual(unknown);
    const old = await requireActive();
    now = at(1_000);
    await rotate();
    now = at(1_500);
    await rotate();
    expect(await revoke(old)).toEqual(unknown);
  });

  test('a revocation that cannot be recorded did not happen', async () => {
    const signing = await requireActive();
    const broken = { ...deps, events: { record: async () => Promise.reject(new Error('no room')) } };
    await expect(revokeSigningKey(broken, { keyId: signing, actor })).rejects.toThrow('no room');
    expect(await readKeys()).toMatchObject({ ids: [signing], active: { keyId: signing } });
    expect((await openPrivateJwk(deps, signing)).ok).toBe(true);
  });

  test('revocations of both keys and a rotation at once leave one key that signs', async () => {
    for (let round = 1; round <= 5; round++) {
      now = at(round * 2_000);
      await rotate();
      const { ids } = await readKeys();
      await Promise.all([...ids.map((keyId) => revoke(keyId)), rotateSigningKeys(deps)]);
      const left = await readKeys();
      expect(left.active).toBeDefined();
      for (const keyId of ids) expect(left.ids).not.toContain(keyId);
    }
  });
});

// Threat: a leaked key mints tokens as anybody; every instance that remembers one of them must forget it.
test('every warm instance refuses the tokens of a revoked key within a second of the commit', async () => {
  const real = { ...deps, clock: systemClock, store };
  await fixture.sql('truncate signing_key, lease');
  expect(await rotateSigningKeys(real)).toMatchObject({ ok: true });
  const [leaked] = await fixture.sql(`select key_id from signing_key where algorithm = 'ES256'`);
  const keyId = String(leaked?.['key_id']);
  const opened = await openPrivateJwk(real, keyId);
  if (!opened.ok) throw new Error(opened.failure.code);
  const about = {
    account: 'sa_01jd0000000000000000000000',
    organizationId: 'org_01jd0000000000000000000000',
    apiKeyId: 'key_01jd0000000000000000000000',
  };
  const jwt = await mintTestToken({ keyId, jwk: opened.value }, about);
  const instances = Array.from({ length: 3 }, (_, index) => openWarmVerifier(`test-warm-${index}`));
  try {
    for (const { verify, feed } of instances) {
      await expect.poll(() => feed.freshAsOf(), { timeout: 10_000 }).toBeDefined();
      expect(await verify(jwt)).toMatchObject({ ok: true });
    }
    await revokeSigningKey(real, { keyId, actor });
    for (const { verify } of instances) {
      await expect
        .poll(() => verify(jwt), { timeout: 10_000, interval: 10 })
        .toMatchObject({
          ok: false,
          failure: { reason: 'unknown_key' },
        });
    }
  } finally {
    await Promise.all(instances.map(({ feed }) => feed.close()));
  }
});

/** An instance that would not read the keys again for an hour but for the feed. */
function openWarmVerifier(applicationName: string) {
  const keys = openSigningKeySet({ pool: fixture.pool, store, clock: systemClock, refreshSeconds: 3_600 });
  const verifier = createAccessTokenVerifier({ keys, issuer, audience, clock: systemClock });
  const feed = listen({
    url: fixture.database.appUrl,
    applicationName,
    channels: [signingKeyChannel],
    clock: systemClock,
    onNotification: keys.invalidate,
  });
  return { verify: (jwt: string) => verifier.verify(jwt), feed };
}
