import type { LookupAddress } from 'node:dns';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTestCertificate, type TestCertificate } from '../../tests/support/test-certificate.ts';
import { createRemoteJsonFetch, type RemoteJsonDeps, remoteJsonBytesMax } from './remote-json.ts';

let certificate: TestCertificate;
beforeAll(() => {
  certificate = createTestCertificate(['issuer.test']);
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const json =
  (value: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify(value));
  };

async function open(server: Server | ReturnType<typeof createHttpServer>, host: string): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, host, listening));
  closers.push(
    () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(closed);
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** An internal issuer: the guard of what is read is the same, and it needs no certificate. */
async function serveInternal(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await open(createHttpServer(listener), '127.0.0.1')}/jwks`;
}

const addresses = (...list: string[]): LookupAddress[] => list.map((address) => ({ address, family: 4 }));

describe('what is read', () => {
  const fetched = async (listener: RequestListener, timeoutMs = 25_000) =>
    createRemoteJsonFetch({ timeoutMs })(await serveInternal(listener), { isInternal: true });
  const refused = (reason: string) => ({ ok: false, failure: { code: 'remote_json.unavailable', reason } });

  test('is JSON, with the age it may be kept', async () => {
    const answer = await fetched(json({ keys: [] }, { 'cache-control': 'public, max-age=77' }));
    expect(answer).toEqual({ ok: true, value: { value: { keys: [] }, maxAgeSeconds: 77 } });
  });

  test.each(['application/jwk-set+json', 'application/json; charset=utf-8'])('may be %s', async (type) => {
    expect(await fetched(json({}, { 'content-type': type }))).toMatchObject({ ok: true });
  });

  // Threat: a public address that sends us on to one inside.
  test.each([301, 302, 303, 307, 308])('is never at the end of a redirect (%i)', async (status) => {
    const inside = await serveInternal(json({ secret: true }));
    const answer = await fetched((_req, res) => res.writeHead(status, { location: inside }).end());
    expect(answer).toEqual(refused('redirect'));
  });

  test.each<[string, RequestListener, string]>([
    ['another status', (_req, res) => res.writeHead(404).end('{}'), 'status'],
    ['HTML', json({}, { 'content-type': 'text/html' }), 'not_json'],
    ['no type', (_req, res) => void res.end('{}'), 'not_json'],
    ['what only claims to be JSON', (_req, res) => void typed(res).end('<html>'), 'not_json'],
    ['broken UTF-8', (_req, res) => void typed(res).end(Buffer.from([0x22, 0xff, 0x22])), 'not_json'],
    ['compressed bytes', json({}, { 'content-encoding': 'gzip' }), 'not_json'],
    ['too much', json('x'.repeat(remoteJsonBytesMax)), 'too_large'],
    ['a cut connection', (_req, res) => void res.destroy(), 'unreachable'],
  ])('is not %s', async (_what, listener, reason) => {
    expect(await fetched(listener)).toEqual(refused(reason));
  });

  test.each<[string, RequestListener]>([
    ['an endless body', (_req, res) => void drip(typed(res))],
    ['silence', () => undefined],
  ])('is not waited for when it is %s', async (_what, listener) => {
    expect(await fetched(listener, 300)).toEqual(refused('timeout'));
  });

  test('ends without a length once it is too much', async () => {
    let sent = 0;
    const answer = await fetched((_req, res) => {
      typed(res);
      const send = () => {
        while (!res.destroyed && sent < 64 * remoteJsonBytesMax) {
          sent += 65_536;
          if (!res.write('x'.repeat(65_536))) return void res.once('drain', send);
        }
      };
      send();
    });
    expect(answer).toEqual(refused('too_large'));
    expect(sent).toBeLessThan(32 * remoteJsonBytesMax);
  });

  function typed(res: Parameters<RequestListener>[1]) {
    return res.writeHead(200, { 'content-type': 'application/json' });
  }
  function drip(res: Parameters<RequestListener>[1]) {
    const timer = setInterval(() => res.write(' '), 20);
    res.on('close', () => clearInterval(timer));
  }
});

describe('where it is read from', () => {
  const guarded = createRemoteJsonFetch({ resolve: async () => addresses('93.184.216.34') });

  test.each([
    'http://issuer.test/jwks',
    'https://issuer.test:8443/jwks',
    'https://user@issuer.test/jwks',
    'https://127.0.0.1/jwks',
    'https://2130706433/jwks',
    'https://0x7f.1/jwks',
    'https://[::1]/jwks',
    'https://[::ffff:127.0.0.1]/jwks',
    'https://8.8.8.8/jwks',
    'file:///etc/passwd',
    'ftp://issuer.test/',
    'no url',
  ])('%s is refused before anything is resolved', async (url) => {
    expect(await guarded(url)).toMatchObject({ ok: false, failure: { reason: 'url_refused' } });
  });

  test.each([
    ['a private address', ['10.0.0.8'], 'address_refused'],
    ['cloud metadata', ['169.254.169.254'], 'address_refused'],
    ['a private address beside a public one', ['93.184.216.34', '127.0.0.1'], 'address_refused'],
    ['nothing', [], 'unresolved'],
  ])('a name of %s is not connected to', async (_what, list, reason) => {
    const fetchJson = createRemoteJsonFetch({ resolve: async () => addresses(...list) });
    expect(await fetchJson('https://issuer.test/jwks')).toMatchObject({ ok: false, failure: { reason } });
  });

  test('a resolver that hangs is given up', async () => {
    const fetchJson = createRemoteJsonFetch({ resolve: () => new Promise(() => undefined), timeoutMs: 50 });
    expect(await fetchJson('https://issuer.test/')).toMatchObject({ failure: { reason: 'timeout' } });
  });

  // Threat: names whose server drops every question, until no thread or socket is left for the database's name.
  test('names under way are few, however many are asked for and abandoned', async () => {
    let underWay = 0;
    const resolve = () => {
      underWay += 1;
      return new Promise<never>(() => undefined);
    };
    const fetchJson = createRemoteJsonFetch({ resolve, timeoutMs: 20 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, place) => fetchJson(`https://${place}.issuer.test/`)),
    );
    expect(underWay).toBe(32);
    const reasons = answers.map((answer) => !answer.ok && answer.failure.reason);
    expect(reasons.filter((reason) => reason === 'timeout')).toHaveLength(32);
    expect(reasons.filter((reason) => reason === 'too_many_names')).toHaveLength(18);
  });
});

/**
 * Over real TLS: 127.0.0.2 stands for a public address and 127.0.0.1 for a private one.
 */
describe('the connection', () => {
  const isAllowedAddress = (address: string) => address === '127.0.0.2';

  async function serveTls(host: string, seen: string[]): Promise<number> {
    const server = createServer(certificate, (req, res) => {
      seen.push(`${host} ${req.headers.host?.split(':', 1)} ${req.method}`);
      json({ from: host })(req, res);
    });
    return open(server, host);
  }

  function deps(resolve: NonNullable<RemoteJsonDeps['resolve']>, port: number): RemoteJsonDeps {
    return { resolve, isAllowedAddress, certificateAuthority: certificate.cert, httpsPort: port };
  }

  // Threat: DNS rebinding: the name is public when it is checked and private when it is connected to.
  test('goes to the very address that was checked, whatever the name resolves to next', async () => {
    const seen: string[] = [];
    const port = await serveTls('127.0.0.2', seen);
    let asked = 0;
    const rebind = async () => addresses(asked++ === 0 ? '127.0.0.2' : '127.0.0.1');
    const fetchJson = createRemoteJsonFetch(deps(rebind, port));
    const first = await fetchJson('https://issuer.test/jwks');
    expect(first).toMatchObject({ ok: true, value: { value: { from: '127.0.0.2' } } });
    expect([asked, seen]).toEqual([1, ['127.0.0.2 issuer.test GET']]);
    expect(await fetchJson('https://issuer.test/jwks')).toMatchObject({
      failure: { reason: 'address_refused' },
    });
    expect(seen).toHaveLength(1);
  });

  test('is made only to whoever proves to have the name', async () => {
    const seen: string[] = [];
    const port = await serveTls('127.0.0.2', seen);
    const resolve = async () => addresses('127.0.0.2');
    const other = createRemoteJsonFetch(deps(resolve, port));
    expect(await other('https://other.test/jwks')).toMatchObject({ failure: { reason: 'unreachable' } });
    const unknownAuthority = createRemoteJsonFetch({ resolve, isAllowedAddress, httpsPort: port });
    expect(await unknownAuthority('https://issuer.test/')).toMatchObject({ ok: false });
    expect(seen).toEqual([]);
  });
});
