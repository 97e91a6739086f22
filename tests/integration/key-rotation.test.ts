import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHandler } from '../../functions/key-rotation/handler.ts';
import { postgresApiKeyUseStore } from '../../shared/api-key-use/api-key-use-store.postgres.ts';
import { releaseLease, takeLease } from '../../shared/db/index.ts';
import { createFunctionServer, type Served, serve } from '../../shared/http/index.ts';
import { postgresIdempotencyRecordStore } from '../../shared/idempotency/idempotency-record-store.postgres.ts';
import { retentionSeconds } from '../../shared/idempotency/index.ts';
import { type Clock, secondsAfter, systemRandom } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import { listDataKeyRotations, type RewrapDeps, requestDataKeyRotation } from '../../shared/rewrap/index.ts';
import { postgresSealedRowStore } from '../../shared/rewrap/sealed-row-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { requestRotation } from '../../shared/signing-key/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { postgresOidcRecordStore } from '../../shared/token/oidc-record-store.postgres.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

let now = new Date('2030-01-01T00:00:00Z');
const clock: Clock = { now: () => now };
let fixture: SigningKeyFixture;
let served: Served;

const openRewrap = async (): Promise<RewrapDeps> => ({
  ...fixture.rotation,
  wrapper: await openFileKeyWrapper({ random: systemRandom }, fixture.apiKeys.wrappingKeyFile),
  keys: postgresDataKeyStore,
  rotations: postgresDataKeyRotationStore,
  rows: postgresSealedRowStore,
  policy: { leadSeconds: 300, graceSeconds: 3_600, sliceSeconds: 30 },
});

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  const listener = createHandler({
    logger: silentLogger,
    signingKeys: fixture.rotation,
    apiKeyUses: { pool: fixture.pool, store: postgresApiKeyUseStore },
    records: { pool: fixture.pool, store: postgresOidcRecordStore, clock },
    tokenUses: { pool: fixture.pool, store: postgresTokenUseStore },
    answers: { pool: fixture.pool, store: postgresIdempotencyRecordStore, clock },
    rewrap: await openRewrap(),
  });
  const server = createFunctionServer(
    { clock, random: systemRandom, logger: silentLogger },
    { name: 'key-rotation', listener },
  );
  served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
});

afterAll(async () => {
  await served.close();
  await fixture.close();
});

beforeEach(async () => {
  await fixture.sql('truncate signing_key, signing_key_rotation_request, oidc_record, lease');
});

/** As PingSource sends it: binary mode, no data that matters. */
const tick = () =>
  fetch(`http://127.0.0.1:${served.port}/`, {
    method: 'POST',
    headers: {
      'ce-specversion': '1.0',
      'ce-id': 'tick-1',
      'ce-source': '/apis/v1/namespaces/uos/pingsources/key-rotation',
      'ce-type': 'dev.knative.sources.ping',
      'content-type': 'application/json',
    },
    body: '{}',
  });

/** As the outbox sends it: the exact leaf, structured mode. */
async function deliverRequest(): Promise<Response> {
  await requestRotation(fixture.rotation, { actor: { type: 'user', id: 'usr_operator' } });
  return deliverLast();
}

async function deliverLast(): Promise<Response> {
  const [row] = await fixture.sql(
    `select payload from outbox where topic = 'key-rotation.requested' order by sequence desc limit 1`,
  );
  return fetch(`http://127.0.0.1:${served.port}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: String(row?.['payload']),
  });
}

const keyCount = async () => (await fixture.sql('select 1 from signing_key')).length;

describe('accepted', () => {
  test('a request for a new data key begins at once, and ticks take it on', async () => {
    const rewrap = await openRewrap();
    await requestDataKeyRotation(rewrap, { purpose: 'signing-key', actor: { type: 'user', id: 'usr_1' } });
    expect((await deliverLast()).status).toBe(204);
    const statuses = async () =>
      (await listDataKeyRotations(rewrap, { limit: 2 })).map(({ status }) => status);
    expect(await statuses()).toEqual(['waiting']);
    now = secondsAfter(now, 300);
    await tick();
    expect(await statuses()).toEqual(['retiring']);
  });

  test('the first tick makes the first key; the same tick again makes no other', async () => {
    expect((await tick()).status).toBe(204);
    expect((await tick()).status).toBe(204);
    expect(await keyCount()).toBe(1);
  });

  test('a request rotates without waiting for a tick', async () => {
    await tick();
    now = secondsAfter(now, 10);
    expect((await deliverRequest()).status).toBe(204);
    expect(await keyCount()).toBe(2);
  });

  test('the last use of keys is taken from whoever proves them', async () => {
    const response = await fetch(`http://127.0.0.1:${served.port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: 'evt_1',
        source: 'uos/authorize',
        type: 'uos.api-key.used.v1',
        orgid: platformOrganizationId,
        data: { uses: [{ keyId: 'key_01jd0000000000000000000000', usedAt: '2026-01-01T00:00:00Z' }] },
      }),
    });
    expect(response.status).toBe(204);
  });

  test('a tick deletes expired OAuth records', async () => {
    await fixture.sql(
      `insert into oidc_record (model, id_hash, payload_sealed, expires_at) values ('Session', 'x', '', $1)`,
      [secondsAfter(now, -1)],
    );
    await tick();
    expect(await fixture.sql('select 1 from oidc_record')).toEqual([]);
  });
});

describe('an answer kept for an idempotency key', () => {
  // It may show a secret, and its organization may never ask again.
  test('is deleted by a tick when its day is over, and not before, whichever organization it is of', async () => {
    const seeded = await Promise.all([1, 2, 3].map(() => seedOrganization(fixture.pool, {})));
    const answers = await fixture.openRing('idempotency');
    const add = async (organizationId: string, key: string, ageSeconds: number) =>
      fixture.sql(
        `insert into idempotency_record (org_id, idempotency_key, request_hash, response_status, response_sealed, created_at)
          values ($1, $2, '', 201, $3, $4)`,
        [organizationId, key, await answers.seal('an answer', key), secondsAfter(now, -ageSeconds)],
      );
    for (const { organizationId } of seeded) {
      await add(organizationId, 'expired', retentionSeconds + 1);
      await add(organizationId, 'kept', retentionSeconds - 60);
    }
    await tick();
    const left = await fixture.sql('select org_id, idempotency_key from idempotency_record');
    const kept = seeded.map(({ organizationId }) => ({ org_id: organizationId, idempotency_key: 'kept' }));
    expect(left).toHaveLength(kept.length);
    expect(left).toEqual(expect.arrayContaining(kept));
  });
});

describe('while another run holds the lease', () => {
  test('a tick is dropped and a request is put off, so that Knative delivers it again', async () => {
    const held = await takeLease(fixture.pool, { name: 'key-rotation', holder: 'other', ttlSeconds: 30 });
    expect((await tick()).status).toBe(204);
    expect((await deliverRequest()).status).toBe(503);
    expect(await keyCount()).toBe(0);
    if (held !== undefined) await releaseLease(fixture.pool, held);
    expect((await deliverRequest()).status).toBe(204);
    expect(await keyCount()).toBe(1);
  });
});

describe('malformed', () => {
  test('an event of a type nobody handles is refused for good', async () => {
    const response = await fetch(`http://127.0.0.1:${served.port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({ specversion: '1.0', id: '1', source: 'x', type: 'uos.unknown.v1' }),
    });
    expect(response.status).toBe(400);
  });
});
