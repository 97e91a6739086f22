import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBytesMax, answerLeakReports } from '../../functions/token/answer-leak-reports.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { fingerprintOf, type IssuedApiKey, rotateApiKey, verifyApiKey } from '../../shared/api-key/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { createFunctionServer, serve } from '../../shared/http/index.ts';
import { systemClock as clock, invariant, systemRandom as random } from '../../shared/kernel/index.ts';
import { createGithubKeys } from '../../shared/leak-report/index.ts';
import { postgresLeakReportStore } from '../../shared/leak-report/leak-report-store.postgres.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import { createRemoteJsonFetch } from '../../shared/remote-jwks/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { testLimits } from '../support/limits.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let apiKeys: TestApiKeys;
let acme: SeededOrganization;
const closers: (() => Promise<void>)[] = [];
const logged: unknown[] = [];

/** GitHub: a server that publishes one key, and whoever signs with it. */
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const github = { fetches: 0, isDown: false };
const published = {
  public_keys: [
    {
      key_identifier: 'current',
      key: publicKey.export({ type: 'spki', format: 'pem' }),
      is_current: true,
    },
  ],
};
const keyServer = createServer((_req, res) => {
  github.fetches += 1;
  if (github.isDown) return void res.writeHead(500).end();
  res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(published));
});

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  apiKeys = await openTestApiKeys(pool);
  acme = await seedOrganization(pool, { serviceAccounts: ['ci'] });
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  github.isDown = false;
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await new Promise((resolve) => keyServer.close(resolve));
  await apiKeys.dispose();
  await pool.close();
  await database.drop();
});

type Answer = { status: number; headers: Headers; text: string; json: Record<string, unknown> };
type Send = (path: string, body: string, headers?: Record<string, string>) => Promise<Answer>;

async function start(limits: Pick<CallerLimits, 'failures'> = testLimits()): Promise<Send> {
  const { port } = keyServer.address() as AddressInfo;
  const log = (...entry: unknown[]) => void logged.push(entry);
  const listener = answerLeakReports(
    {
      leaks: {
        pool,
        store: postgresApiKeyStore(pool),
        reports: postgresLeakReportStore,
        events: postgresEventRecorder({ clock, random, source: 'uos/token' }),
        pepper: apiKeys.deps.pepper,
        clock,
      },
      githubKeys: createGithubKeys({
        fetchJson: createRemoteJsonFetch(),
        url: `http://127.0.0.1:${port}/meta/public_keys/secret_scanning`,
        clock,
      }),
      limits,
      logger: { ...silentLogger, info: log, warn: log, error: log },
    },
    (_req, res) => void res.writeHead(204).end(),
  );
  const name = `leaks-${randomBytes(4).toString('hex')}`;
  const server = createFunctionServer(
    { clock, random, logger: { ...silentLogger, info: log, warn: log, error: log } },
    { name, listener, bodyBytesMax: alertBytesMax, trustedHops: 1 },
  );
  const served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
  closers.push(served.close);
  return async (path, body, headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${served.port}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.1', ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? {} : JSON.parse(text),
    };
  };
}

const reportKeys = (send: Send, ...keys: unknown[]) => send('/leak-reports', JSON.stringify({ keys }));

function sendAlert(send: Send, matches: unknown, change: Record<string, string> = {}) {
  const body = JSON.stringify(matches);
  return send('/leak-reports/github', body, {
    'github-public-key-identifier': 'current',
    'github-public-key-signature': sign('sha256', Buffer.from(body), privateKey).toString('base64'),
    ...change,
  });
}

async function isAlive({ text }: IssuedApiKey): Promise<boolean> {
  return (await verifyApiKey({ ...apiKeys.deps, pool }, text)).ok;
}

const revocationsOf = (issued: IssuedApiKey) => recordsOf(issued, 'uos.api-key.revoked.v1');

async function recordsOf({ key }: IssuedApiKey, type: string) {
  const rows = await withOrg(pool, acme.organizationId, (tx) =>
    tx
      .selectFrom('audit_event')
      .select('leaf')
      .where('subject', '=', key.id)
      .where('type', '=', type)
      .execute(),
  );
  return rows.map(({ leaf }) => JSON.parse(leaf).data);
}

/** Another secret of the same key, form and checksum right: what only a look-up can tell from the real one. */
function forge({ text }: IssuedApiKey): Promise<string> {
  return apiKeys.issue(acme, 'ci').then((other) => {
    const [, , , id] = text.split('_');
    const [brand, kind, environment, , secret = ''] = other.text.split('_');
    return withChecksum([brand, kind, environment, id, secret.slice(0, 43)].join('_'));
  });
}

async function withChecksum(body: string): Promise<string> {
  const { crc32 } = await import('node:zlib');
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let value = crc32(body);
  let text = '';
  for (let place = 0; place < 6; place++) {
    text = digits.charAt(value % 62) + text;
    value = Math.floor(value / 62);
  }
  return body + text;
}

function changeKey(
  issued: IssuedApiKey,
  set: { status: 'disabled' } | { expires_at: Date } | { previous_secret_until: Date },
) {
  return withOrg(pool, acme.organizationId, (tx) =>
    tx.updateTable('api_key').set(set).where('key_id', '=', issued.key.id).execute(),
  );
}

describe('whoever has the text of a key', () => {
  it('has it revoked at once, with the reason and the source in the trail', async () => {
    const send = await start();
    const leaked = await apiKeys.issue(acme, 'ci');
    const other = await apiKeys.issue(acme, 'ci');
    expect(await isAlive(leaked)).toBe(true);
    const answer = await reportKeys(send, leaked.text);
    expect([answer.status, answer.json]).toEqual([200, { results: [{ label: 'true_positive' }] }]);
    expect([await isAlive(leaked), await isAlive(other)]).toEqual([false, true]);
    expect(await revocationsOf(leaked)).toEqual([
      expect.objectContaining({
        reason: 'leaked',
        serviceAccountId: acme.idOf('ci'),
        actor: { type: 'system', id: 'leak-report:self-report' },
      }),
    ]);
  });

  it('may report it again, which changes and records nothing', async () => {
    const send = await start();
    const leaked = await apiKeys.issue(acme, 'ci');
    const first = await reportKeys(send, leaked.text, leaked.text);
    const answers = await Promise.all([1, 2, 3].map(() => reportKeys(send, leaked.text, leaked.text)));
    for (const answer of answers) expect(answer.json).toEqual(first.json);
    expect((await revocationsOf(leaked)).length).toBe(1);
  });

  // Threat: a leaked key that was only put aside comes back to life in the wrong hands.
  it('has it revoked also when it is disabled or has expired', async () => {
    const send = await start();
    const disabled = await apiKeys.issue(acme, 'ci');
    const expired = await apiKeys.issue(acme, 'ci');
    await changeKey(disabled, { status: 'disabled' });
    await changeKey(expired, { expires_at: new Date(0) });
    const { json } = await reportKeys(send, disabled.text, expired.text);
    expect(json).toEqual({ results: [{ label: 'true_positive' }, { label: 'true_positive' }] });
    for (const key of [disabled, expired]) expect((await revocationsOf(key)).length).toBe(1);
  });

  // Threat: a leak that nobody hears of, and a finder who is taken for a guesser.
  it('is told the truth of a secret that a rotation has ended, which ends the key no more', async () => {
    const send = await start(testLimits({ failures: { ratePerSecond: 0.001, burst: 1 } }));
    const leaked = await apiKeys.issue(acme, 'ci');
    const rotated = await rotateApiKey(apiKeys.deps, {
      organizationId: acme.organizationId,
      keyId: leaked.key.id,
      actor: { type: 'system', id: 'test' },
      overlapSeconds: 60,
    });
    invariant(rotated.ok, 'not rotated');
    await changeKey(leaked, { previous_secret_until: new Date(0) });
    const answers = await Promise.all([1, 2, 3].map(() => reportKeys(send, leaked.text)));
    for (const { json } of answers) expect(json).toEqual({ results: [{ label: 'true_positive' }] });
    expect([await isAlive(leaked), await isAlive(rotated.value)]).toEqual([false, true]);
    expect(await revocationsOf(leaked)).toEqual([]);
    expect(await recordsOf(leaked, 'uos.api-key.leak-reported.v1')).toEqual([
      {
        fingerprint: fingerprintOf(leaked.key.id, leaked.text.slice(-4)),
        serviceAccountId: acme.idOf('ci'),
        actor: { type: 'system', id: 'leak-report:self-report' },
      },
    ]);
  });

  it('is answered in the order of the report, whatever is among it', async () => {
    const send = await start();
    const leaked = await apiKeys.issue(acme, 'ci');
    const { json } = await reportKeys(send, 'no key', leaked.text, 'no key');
    expect(json['results']).toEqual([
      { label: 'false_positive' },
      { label: 'true_positive' },
      { label: 'false_positive' },
    ]);
  });
});

describe('whoever has not', () => {
  // Threat: knowing an id, which is in logs and trails, is enough to shut an account out.
  it('revokes nothing with a key’s id, a wrong secret or a wrong checksum, and learns nothing from the answer', async () => {
    const send = await start();
    const key = await apiKeys.issue(acme, 'ci');
    const guesses = [
      await forge(key),
      `${key.text.slice(0, -1)}${key.text.endsWith('0') ? '1' : '0'}`,
      key.key.id,
      key.text.toUpperCase(),
      (await withChecksum(`uos_sa_test_${'0'.repeat(26)}_${'a'.repeat(43)}`)).toString(),
    ];
    const answers = await Promise.all(guesses.map((guess) => reportKeys(send, guess)));
    for (const { status, text } of answers)
      expect([status, text]).toEqual([200, '{"results":[{"label":"false_positive"}]}']);
    expect(await isAlive(key)).toBe(true);
  });

  it('is slowed down by address, while true reports go through', async () => {
    const limits = testLimits({ failures: { ratePerSecond: 0.001, burst: 3 } });
    const send = await start(limits);
    for (let n = 0; n < 5; n++) {
      const { text } = await apiKeys.issue(acme, 'ci');
      expect((await reportKeys(send, text)).status).toBe(200);
    }
    const statuses: number[] = [];
    for (let n = 0; n < 4; n++) statuses.push((await reportKeys(send, `guess ${n}`)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await reportKeys(send, 'guess');
    expect(refused.json['code']).toBe('rate_limit.exceeded');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const elsewhere = { 'x-forwarded-for': '192.0.2.2' };
    expect((await send('/leak-reports', '{"keys":["x"]}', elsewhere)).status).toBe(200);
  });

  it.each([
    ['no JSON', '{', 400],
    ['no keys', '{"keys":[]}', 400],
    ['more keys than are taken', JSON.stringify({ keys: Array(21).fill('x') }), 400],
    ['a key longer than any is', JSON.stringify({ keys: ['x'.repeat(1025)] }), 400],
    ['what is no text', '{"keys":[1]}', 400],
    ['another field', '{"keys":["x"],"reason":"y"}', 400],
    ['more bytes than are read', ' '.repeat(alertBytesMax + 1), 413],
  ])('is refused with %s', async (_, body, status) => {
    const send = await start();
    expect((await send('/leak-reports', body)).status).toBe(status);
  });

  it('is refused with a form, which a page of another origin could send', async () => {
    const send = await start();
    const answer = await send('/leak-reports', '{"keys":["x"]}', { 'content-type': 'text/plain' });
    expect(answer.status).toBe(415);
  });

  // The refusal of a malformed report must not hold the key that was in it.
  it('never reads a key back, neither in an answer nor in a log', async () => {
    const send = await start();
    const { text } = await apiKeys.issue(acme, 'ci');
    const answers = [
      await send('/leak-reports', JSON.stringify({ keys: [text], [text]: text })),
      await send('/leak-reports', `{"keys":["${text}"`),
      await sendAlert(send, [{ token: text, type: 5 }]),
      await sendAlert(send, [{ token: text, type: 'x' }], { 'github-public-key-signature': text }),
      await reportKeys(send, text),
    ];
    const seen = JSON.stringify([answers, logged]);
    expect(seen).not.toContain(text);
    expect(seen).not.toContain(text.slice(-40));
  });
});

describe('an alert of GitHub', () => {
  it('revokes what it names and tells GitHub which of it was a key, by hash', async () => {
    const send = await start();
    const leaked = await apiKeys.issue(acme, 'ci');
    const url = 'https://github.com/octocat/Hello-World/blob/main/foo';
    const answer = await sendAlert(send, [
      { token: leaked.text, type: 'uos_api_key', url, source: 'content' },
      { token: 'uos_sa_live_look-alike', type: 'uos_api_key', url: '', source: 'commit' },
    ]);
    const hash = (text: string) => createHash('sha256').update(text).digest('base64');
    expect([answer.status, answer.json]).toEqual([
      200,
      [
        { token_hash: hash(leaked.text), token_type: 'uos_api_key', label: 'true_positive' },
        { token_hash: hash('uos_sa_live_look-alike'), token_type: 'uos_api_key', label: 'false_positive' },
      ],
    ]);
    expect(await isAlive(leaked)).toBe(false);
    expect(await revocationsOf(leaked)).toEqual([
      expect.objectContaining({ reason: 'leaked', actor: { type: 'system', id: 'leak-report:github' } }),
    ]);
  });

  it('may name hundreds of texts', async () => {
    const send = await start();
    const leaked = await Promise.all(Array.from({ length: 5 }, () => apiKeys.issue(acme, 'ci')));
    const noise = Array.from({ length: 800 }, (_, n) => `uos_sa_live_${n}`);
    const texts = [...noise, ...leaked.map(({ text }) => text)];
    const answer = await sendAlert(
      send,
      texts.map((token) => ({ token, type: 'uos_api_key', url: '', source: 'content' })),
    );
    expect(answer.status).toBe(200);
    for (const key of leaked) expect(await isAlive(key)).toBe(false);
  });

  it('that another signed is refused, revokes nothing, and has the keys fetched once', async () => {
    const send = await start();
    const key = await apiKeys.issue(acme, 'ci');
    const fetched = github.fetches;
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const matches = [{ token: key.text, type: 'uos_api_key' }];
    const forged = sign('sha256', Buffer.from(JSON.stringify(matches)), stranger).toString('base64');
    for (const change of [
      { 'github-public-key-signature': forged },
      { 'github-public-key-identifier': 'unknown-1' },
      { 'github-public-key-identifier': 'unknown-2' },
      { 'github-public-key-identifier': '' },
    ]) {
      const answer = await sendAlert(send, matches, change);
      expect([answer.status, answer.json['code']]).toEqual([401, 'signature.invalid']);
    }
    expect(await isAlive(key)).toBe(true);
    expect(github.fetches - fetched).toBe(1);
  });

  it('is answered 503 while GitHub’s keys cannot be had, so that it comes again, and is not held against GitHub', async () => {
    const send = await start(testLimits({ failures: { ratePerSecond: 0.001, burst: 1 } }));
    const key = await apiKeys.issue(acme, 'ci');
    github.isDown = true;
    for (let n = 0; n < 3; n++) {
      const answer = await sendAlert(send, [{ token: key.text, type: 'uos_api_key' }]);
      expect([answer.status, answer.json['code']]).toEqual([503, 'service.unavailable']);
    }
    expect(await isAlive(key)).toBe(true);
  });
});

describe('what is no report', () => {
  it('goes on to what the function is for, with the bodies that are read there', async () => {
    const send = await start();
    expect((await send('/token', 'x')).status).toBe(204);
    expect((await send('/leak-reports/other', 'x')).status).toBe(204);
    expect((await send('/token', 'x'.repeat(57 * 1024))).status).toBe(413);
  });
});
