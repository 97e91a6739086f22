import type { Adapter } from 'oidc-provider';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openOidcAdapter } from '../../functions/token/oidc-adapter.ts';
import { type Clock, secondsAfter, systemRandom, toNumericDate } from '../../shared/kernel/index.ts';
import { pruneOidcRecords } from '../../shared/token/index.ts';
import { postgresOidcRecordStore as store } from '../../shared/token/oidc-record-store.postgres.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const start = new Date('2030-01-01T00:00:00Z');
let now = start;
const clock: Clock = { now: () => now };
let fixture: SigningKeyFixture;
let open: (model: string) => Adapter;
let tokens: Adapter;

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  open = await openOidcAdapter({
    pool: fixture.pool,
    store,
    clock,
    ring: await fixture.openRing('oidc-record'),
  });
  tokens = open('RefreshToken');
});

afterAll(() => fixture.close());

beforeEach(async () => {
  now = start;
  await fixture.sql('truncate oidc_record');
});

/** An id as the library makes it: the bearer secret itself, which the payload repeats. */
const newId = () => Buffer.from(systemRandom.bytes(32)).toString('base64url');
const payloadOf = (jti: string) => ({ jti, kind: 'RefreshToken', accountId: 'usr_1', grantId: 'grant-1' });

describe('the adapter contract', () => {
  test('finds what was stored, as it was stored, and nothing else', async () => {
    const id = newId();
    await tokens.upsert(id, { ...payloadOf(id), scope: 'é 漢字' }, 60);
    expect(await tokens.find(id)).toEqual({ ...payloadOf(id), scope: 'é 漢字' });
    expect(await tokens.find(newId())).toBeUndefined();
    expect(await open('AccessToken').find(id)).toBeUndefined();
  });

  test('replaces on the second upsert', async () => {
    const id = newId();
    await tokens.upsert(id, payloadOf(id), 60);
    await tokens.upsert(id, { ...payloadOf(id), scope: 'a' }, 120);
    now = secondsAfter(start, 100);
    expect(await tokens.find(id)).toMatchObject({ scope: 'a' });
  });

  test('finds by uid and by user code, each within its model', async () => {
    const id = newId();
    const uid = newId();
    await open('Session').upsert(id, { jti: id, uid }, 60);
    await open('DeviceCode').upsert(id, { jti: id, userCode: 'ABCDEFGH' }, 60);
    expect(await open('Session').findByUid(uid)).toMatchObject({ jti: id });
    expect(await open('Interaction').findByUid(uid)).toBeUndefined();
    expect(await open('DeviceCode').findByUserCode('ABCDEFGH')).toMatchObject({ jti: id });
    expect(await open('DeviceCode').findByUserCode('ABCDEFGX')).toBeUndefined();
  });

  test('forgets at the very second of expiry, and never without one', async () => {
    const short = newId();
    const lasting = newId();
    await tokens.upsert(short, payloadOf(short), 60);
    await open('Grant').upsert(lasting, { jti: lasting });
    now = secondsAfter(start, 59);
    expect(await tokens.find(short)).toBeDefined();
    now = secondsAfter(start, 60);
    expect(await tokens.find(short)).toBeUndefined();
    await expect(tokens.consume(short)).rejects.toThrow('invalid_grant');
    now = secondsAfter(start, 1_000_000);
    expect(await open('Grant').find(lasting)).toBeDefined();
  });

  test('destroys one, and by grant all of a model that belong to it', async () => {
    const [first, second, other] = [newId(), newId(), newId()];
    for (const id of [first, second]) await tokens.upsert(id, payloadOf(id), 60);
    await tokens.upsert(other, { ...payloadOf(other), grantId: 'grant-2' }, 60);
    await tokens.destroy(first);
    expect(await tokens.find(first)).toBeUndefined();
    await tokens.revokeByGrantId('grant-1');
    expect(await tokens.find(second)).toBeUndefined();
    expect(await tokens.find(other)).toBeDefined();
  });
});

describe('consume', () => {
  test('marks the record with the time, and a later upsert does not undo it', async () => {
    const id = newId();
    await tokens.upsert(id, payloadOf(id), 60);
    await tokens.consume(id);
    expect(await tokens.find(id)).toEqual({ ...payloadOf(id), consumed: toNumericDate(start) });
    await tokens.upsert(id, payloadOf(id), 60);
    expect(await tokens.find(id)).toMatchObject({ consumed: toNumericDate(start) });
  });

  // Threat: the library reads, then consumes. With a plain update all concurrent uses of one token succeed.
  test('of three at once exactly one succeeds, the others are invalid_grant', async () => {
    for (let round = 0; round < 10; round++) {
      const id = newId();
      await tokens.upsert(id, payloadOf(id), 60);
      const outcomes = await Promise.allSettled([tokens.consume(id), tokens.consume(id), tokens.consume(id)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ error: 'invalid_grant', statusCode: 400 });
      }
    }
  });
});

describe('at rest', () => {
  test('no column holds an id, a uid, a user code or a payload that can be read', async () => {
    const [id, uid, grantId] = [newId(), newId(), newId()];
    await open('DeviceCode').upsert(id, { jti: id, uid, grantId, userCode: 'ABCDEFGH', scope: 'canary' }, 60);
    const [row] = await fixture.sql('select * from oidc_record');
    const stored = Object.values(row ?? {})
      .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
      .join('\n');
    for (const secret of [id, uid, grantId, 'ABCDEFGH', 'canary']) {
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret, 'base64url').toString('latin1'));
    }
  });

  // Threat: write access to the table is used to give one record the rights of another.
  test('a payload that was moved to another record does not open', async () => {
    const [mine, theirs] = [newId(), newId()];
    await tokens.upsert(mine, { ...payloadOf(mine), accountId: 'usr_mine' }, 60);
    await tokens.upsert(theirs, { ...payloadOf(theirs), accountId: 'usr_theirs' }, 60);
    await fixture.sql(
      `update oidc_record set payload_sealed =
         (select payload_sealed from oidc_record where account_id = 'usr_theirs') where account_id = 'usr_mine'`,
    );
    await expect(tokens.find(mine)).rejects.toThrow('does not open');
  });
});

test('pruning deletes what expired, in batches, and nothing else', async () => {
  await fixture.sql(
    `insert into oidc_record (model, id_hash, payload_sealed, expires_at)
     select 'Session', decode(md5(n::text), 'hex'), '', $1 from generate_series(1, 1200) n`,
    [secondsAfter(start, -1)],
  );
  const [living, lasting] = [newId(), newId()];
  await tokens.upsert(living, payloadOf(living), 60);
  await open('Grant').upsert(lasting, { jti: lasting });
  expect(await pruneOidcRecords({ pool: fixture.pool, store, clock })).toBe(1_200);
  expect(await fixture.sql('select model from oidc_record order by model')).toEqual([
    { model: 'Grant' },
    { model: 'RefreshToken' },
  ]);
});
