import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { systemRandom } from '../kernel/index.ts';
import { createS3ObjectStore } from './object-store.s3.ts';

const deps = { clock: { now: () => new Date('2026-01-31T12:00:00Z') }, random: systemRandom };

/** An S3 service that gives the scripted answers in turn, the last one for ever. `0` cuts the connection. */
async function startScripted(statuses: readonly number[], body = '') {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const status = statuses[Math.min(requests.length, statuses.length - 1)] ?? 500;
    requests.push(request.resume());
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  const settings = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'exports',
    region: 'us-east-1',
    credentials,
  };
  return { store: createS3ObjectStore(settings, deps), requests };
}

test('a put survives a refused slow-down, a server fault and a cut connection', async () => {
  const { store, requests } = await startScripted([429, 503, 0, 200]);
  await store.put('key', new Uint8Array([1]), { contentType: 'text/plain' });
  expect(requests).toHaveLength(4);
});

test('retries end: a service that stays down is a fault with its status', async () => {
  const { store, requests } = await startScripted([503]);
  await expect(store.get('key')).rejects.toThrow('503');
  expect(requests).toHaveLength(5);
});

test('a refusal is not retried', async () => {
  const { store, requests } = await startScripted([403], '<Error><Code>AccessDenied</Code></Error>');
  await expect(store.get('key')).rejects.toThrow('403 AccessDenied');
  expect(requests).toHaveLength(1);
});

test('sends the signed digest and no checksum that Linode refuses', async () => {
  const { store, requests } = await startScripted([200]);
  await store.put('key', new Uint8Array([1]), { contentType: 'text/plain' });
  const headers = requests[0]?.headers ?? {};
  expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
  expect(headers['x-amz-date']).toBe('20260131T120000Z');
  expect(headers['content-type']).toBe('text/plain');
  expect(Object.keys(headers).filter((name) => /checksum|content-md5|trailer/.test(name))).toEqual([]);
});

test('a listing continues after a page in which no key is ours', async () => {
  const xml = '<R><IsTruncated>true</IsTruncated><Contents><Key>a&amp;b &#38; &#x3c;c</Key></Contents></R>';
  const { store } = await startScripted([200], xml);
  await expect(store.list('')).resolves.toEqual({ keys: [], next: 'a&b & <c' });
});
