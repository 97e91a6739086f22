import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findS3Server, type S3Server, startS3Server } from '../../knative/local/s3-server.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { listAllObjects, ObjectStoreError } from '../../shared/object-store/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';

const deps = { clock: systemClock, random: systemRandom };
const plain = { contentType: 'application/octet-stream' };
const bytes = (text: string) => new TextEncoder().encode(text);
const s3Program = await findS3Server();

let directory: string;
let s3: S3Server | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-objects-'));
  s3 = s3Program === undefined ? undefined : await startS3Server({ directory: join(directory, 's3') });
  await s3?.createBucket('exports');
});
afterAll(async () => {
  await s3?.stop();
  await rm(directory, { recursive: true, force: true });
});

const s3Url = () => `s3://exports?endpoint=${s3?.endpoint}&region=${s3?.region}`;
const inS3 = (change: { url?: string; secretAccessKey?: string } = {}) => {
  if (s3 === undefined) throw new Error('no S3 server');
  const { accessKeyId, secretAccessKey } = s3;
  const credentials = { accessKeyId, secretAccessKey: change.secretAccessKey ?? secretAccessKey };
  return openObjectStore({ url: change.url ?? s3Url(), credentials }, deps);
};
const inDirectory = () => openObjectStore({ url: pathToFileURL(join(directory, 'objects')).href }, deps);

describe.each([
  { name: 'a directory', open: inDirectory, skip: false },
  { name: 'a real S3 server', open: inS3, skip: s3Program === undefined },
])('the object store in $name', ({ open, skip }) => {
  test.skipIf(skip)('returns exactly the bytes that were put, also none and every value', async () => {
    const store = open();
    const all = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 7) & 0xff);
    for (const [key, value] of [
      ['exact/all', all],
      ['exact/none', new Uint8Array()],
    ] as const) {
      await store.put(key, value, plain);
      expect(Buffer.compare((await store.get(key)) ?? bytes('absent'), value)).toBe(0);
    }
  });

  test.skipIf(skip)('returns undefined for a key never put, and for a folder', async () => {
    const store = open();
    await store.put('folder/inside', bytes('x'), plain);
    expect(await store.get('never')).toBeUndefined();
    expect(await store.get('folder/inside/deeper')).toBeUndefined();
    expect(await store.get('folder')).toBeUndefined();
  });

  test.skipIf(skip)('replaces an object whole: a reader never sees a part', async () => {
    const store = open();
    const versions = [bytes('a'.repeat(300_000)), bytes('b'.repeat(200_000))];
    await store.put('replaced', versions[0] ?? bytes(''), plain);
    const reads = Array.from({ length: 10 }, () => store.get('replaced'));
    const writes = versions.map((version) => store.put('replaced', version, plain));
    const seen = await Promise.all(reads);
    await Promise.all(writes);
    for (const value of seen) {
      expect(versions.some((version) => Buffer.compare(version, value ?? bytes('')) === 0)).toBe(true);
    }
  });

  test.skipIf(skip)('forgets a deleted object, and deleting it again succeeds', async () => {
    const store = open();
    await store.put('deleted', bytes('x'), plain);
    await store.delete('deleted');
    await store.delete('deleted');
    expect(await store.get('deleted')).toBeUndefined();
    expect((await store.list('deleted')).keys).toEqual([]);
  });

  test.skipIf(skip)('lists every key of a prefix once and in order, over several pages', async () => {
    const store = open();
    const keys = ['a-b', 'a/b', 'a/c/d', 'a.b', 'a=1', 'a0', 'b/x001/234.p/5'].map((name) => `pages/${name}`);
    await Promise.all(keys.map((key) => store.put(key, bytes(key), plain)));
    const pages: string[][] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page: { keys: readonly string[]; next?: string } = await store.list('pages/', {
        limit: 3,
        ...(after && { after }),
      });
      pages.push([...page.keys]);
      after = page.next;
    }
    expect(pages.flat()).toEqual([...keys].sort());
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    const inFolder: string[] = [];
    for await (const key of listAllObjects(store, 'pages/a/')) inFolder.push(key);
    expect(inFolder).toEqual(['pages/a/b', 'pages/a/c/d']);
    expect((await store.list('pages/a')).keys).toHaveLength(6);
  });

  test.skipIf(skip)('lists nothing for a prefix nobody used', async () => {
    expect(await open().list('nobody/')).toEqual({ keys: [] });
  });

  // Threat: a key made from foreign input reaches outside the store.
  test
    .skipIf(skip)
    .each([
      '../up',
      'a/../../up',
      '/root',
      '',
      'a//b',
      'a/',
      '.hidden',
      'a\\b',
      'a\0b',
      'ä',
      'x'.repeat(901),
    ])('refuses the key %j for every operation', async (key) => {
    const store = open();
    await expect(async () => store.put(key, bytes('x'), plain)).rejects.toThrow('is not an object key');
    await expect(async () => store.get(key)).rejects.toThrow('is not an object key');
    await expect(async () => store.delete(key)).rejects.toThrow('is not an object key');
  });

  test.skipIf(skip)('refuses a prefix that climbs', async () => {
    await expect(async () => open().list('../')).rejects.toThrow('is not an object key prefix');
  });
});

test('a directory keeps no trace of a write that failed', async () => {
  const store = inDirectory();
  await writeFile(join(directory, 'objects', 'blocked'), 'a file where a folder is needed');
  await expect(store.put('blocked/inside', bytes('x'), plain)).rejects.toThrow(ObjectStoreError);
  expect((await readdir(join(directory, 'objects'))).filter((name) => name.startsWith('.'))).toEqual([]);
});

describe.skipIf(s3Program === undefined)('a real S3 server', () => {
  test('refuses a wrong secret, and the error does not repeat it', async () => {
    const store = inS3({ secretAccessKey: 'wrong-secret-value' });
    const error = await store.get('any').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ObjectStoreError);
    expect(String(error)).toContain('SignatureDoesNotMatch');
    expect(String(error)).not.toContain('wrong-secret-value');
  });

  test('a missing bucket is a fault, not an absent object', async () => {
    const store = inS3({ url: s3Url().replace('exports', 'missing') });
    await expect(store.get('any')).rejects.toThrow('NoSuchBucket');
  });
});
