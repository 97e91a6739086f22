import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordApiKeyUses } from '../../functions/key-rotation/record-api-key-uses.ts';
import { readManifests } from '../../knative/local/manifests.ts';
import { type Router, startRouter } from '../../knative/local/router.ts';
import { openFileTopicLog } from '../../knative/local/topic-log.file.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { postgresApiKeyUseStore } from '../../shared/api-key-use/api-key-use-store.postgres.ts';
import {
  type ApiKeyUseRecorder,
  apiKeyUsedType,
  createApiKeyUseRecorder,
} from '../../shared/api-key-use/index.ts';
import { createAuthenticator } from '../../shared/authentication/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { silentFeed } from '../../shared/authorization-feed/index.ts';
import { createHttpPublisher } from '../../shared/events/publisher.http.ts';
import { createFunctionServer, type Served, serve, toEventListener } from '../../shared/http/index.ts';
import { systemClock as clock, fail, systemRandom as random } from '../../shared/kernel/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

let fixture: SigningKeyFixture;
let acme: SeededOrganization;
let other: SeededOrganization;
let key: IssuedApiKey;
let served: Served;

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  acme = await seedOrganization(fixture.pool, { serviceAccounts: ['ci'] });
  other = await seedOrganization(fixture.pool, { serviceAccounts: ['ci'] });
  const apiKeyUses = { pool: fixture.pool, store: postgresApiKeyUseStore };
  const listener = toEventListener(silentLogger, {
    [apiKeyUsedType]: (event) => recordApiKeyUses({ apiKeyUses }, event),
  });
  served = await serve(
    silentLogger,
    createFunctionServer({ clock, random, logger: silentLogger }, { name: 'key-rotation-uses', listener }),
    { port: 0, host: '127.0.0.1' },
  );
});

afterAll(async () => {
  await served.close();
  await fixture.close();
});

beforeEach(async () => {
  key = await fixture.apiKeys.issue(acme, 'ci');
});

const functionUrl = () => `http://127.0.0.1:${served.port}`;

async function lastUseOf(keyId: string): Promise<unknown> {
  const [row] = await fixture.sql('select last_used_at from api_key where key_id = $1', [keyId]);
  return row?.['last_used_at'];
}

async function deliver(organizationId: string, uses: { keyId: string; usedAt: string }[]): Promise<number> {
  const response = await fetch(functionUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id: 'evt_1',
      source: 'uos/test',
      type: 'uos.api-key.used.v1',
      orgid: organizationId,
      data: { uses },
    }),
  });
  return response.status;
}

const use = (usedAt: string, keyId: string = key.key.id) => deliver(acme.organizationId, [{ keyId, usedAt }]);

describe('an event', () => {
  test('moves the last use forward; twice, late or out of order it moves nothing back', async () => {
    expect(await use('2026-01-02T00:00:00Z')).toBe(204);
    expect(await use('2026-01-02T00:00:00Z')).toBe(204);
    expect(await use('2026-01-01T00:00:00Z')).toBe(204);
    expect(await lastUseOf(key.key.id)).toEqual(new Date('2026-01-02T00:00:00Z'));
    await use('2026-01-03T00:00:00Z');
    expect(await lastUseOf(key.key.id)).toEqual(new Date('2026-01-03T00:00:00Z'));
  });

  test('that names a key twice counts its latest use', async () => {
    const uses = ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'].map((usedAt) => ({
      keyId: key.key.id,
      usedAt,
    }));
    expect(await deliver(acme.organizationId, uses)).toBe(204);
    expect(await lastUseOf(key.key.id)).toEqual(new Date('2026-01-02T00:00:00Z'));
  });

  test('events at once end at the latest', async () => {
    const days = Array.from(
      { length: 12 },
      (_, day) => `2026-02-${String(day + 1).padStart(2, '0')}T00:00:00Z`,
    );
    await Promise.all(days.map((day) => use(day)));
    expect(await lastUseOf(key.key.id)).toEqual(new Date('2026-02-12T00:00:00Z'));
  });

  // Threat: a clock that runs ahead makes a dead key look used for years.
  test('from the future counts as now', async () => {
    await use('2099-01-01T00:00:00Z');
    const usedAt = await lastUseOf(key.key.id);
    expect(usedAt).toBeInstanceOf(Date);
    expect(Number(usedAt)).toBeLessThanOrEqual(Date.now());
  });

  // Threat: an event that names one organization touches the keys of another.
  test('of one organization leaves the keys of another alone, and accepts keys that are gone', async () => {
    const uses = [{ keyId: key.key.id, usedAt: '2026-01-01T00:00:00Z' }];
    expect(await deliver(other.organizationId, uses)).toBe(204);
    expect(await lastUseOf(key.key.id)).toBeNull();
  });

  test('of another form is refused for good', async () => {
    expect(await use('yesterday')).toBe(400);
    expect(await deliver('org_nobody', [{ keyId: key.key.id, usedAt: '2026-01-01T00:00:00Z' }])).toBe(400);
  });

  // Threat: the last use of every key, each minute, empties every cache of every instance.
  test('tells no warm instance to forget anything', async () => {
    const listener = new Client({ connectionString: fixture.database.superuserUrl });
    await listener.connect();
    try {
      const heard: (string | undefined)[] = [];
      listener.on('notification', ({ payload }) => heard.push(payload));
      await listener.query('listen authorization_changed');
      await use('2026-01-01T00:00:00Z');
      expect(await lastUseOf(key.key.id)).not.toBeNull();
      await fixture.sql(`select pg_notify('authorization_changed', 'the end')`);
      await expect.poll(() => heard, { timeout: 10_000 }).toContain('the end');
      expect(heard).toEqual(['the end']);
    } finally {
      await listener.end();
    }
  });
});

describe('through the triggers that ship', () => {
  let router: Router;
  let directory: string;
  let uses: ApiKeyUseRecorder;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'uos-topics-'));
    const knative = join(import.meta.dirname, '../../knative');
    router = await startRouter({
      manifests: await readManifests(knative),
      log: await openFileTopicLog(directory),
      urlOf: (service) => (service === 'key-rotation' ? functionUrl() : 'http://127.0.0.1:9'),
      onLine: () => undefined,
    });
    const publisher = createHttpPublisher({ baseUrl: router.url });
    uses = createApiKeyUseRecorder({ publisher, clock, random, source: 'uos/test', logger: silentLogger });
  });
  afterAll(async () => {
    await uses.close();
    await router.close();
    await rm(directory, { recursive: true, force: true });
  });

  function openAuthenticator() {
    const { pool } = fixture;
    return createAuthenticator({
      apiKeys: { pool, clock, store: postgresApiKeyStore(pool), pepper: fixture.apiKeys.deps.pepper },
      accessTokens: { verify: async () => fail({ code: 'access_token.refused', reason: 'malformed' }) },
      trustRules: { find: async () => undefined },
      signingKeys: { invalidate: () => undefined },
      facts: postgresSubjectFacts(pool),
      feed: silentFeed,
      apiKeyUses: uses,
    });
  }

  test('a key that lets a caller in is seen as used; one that was refused is not', async () => {
    const wrong = await fixture.apiKeys.issue(acme, 'ci');
    await fixture.sql(`update api_key set status = 'revoked' where key_id = $1`, [wrong.key.id]);
    const authenticator = openAuthenticator();
    expect((await authenticator.authenticate(`Bearer ${key.text}`)).ok).toBe(true);
    expect((await authenticator.authenticate(`Bearer ${wrong.text}`)).ok).toBe(false);
    expect(await lastUseOf(key.key.id)).toBeNull();
    await uses.flush();
    await expect.poll(() => lastUseOf(key.key.id), { timeout: 10_000 }).toBeInstanceOf(Date);
    expect(await lastUseOf(wrong.key.id)).toBeNull();
  });
});
