import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findS3Server, type S3Server, startS3Server } from '../../knative/local/s3-server.ts';
import { parsePolicyBundle } from '../../shared/authorization/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import {
  bundleLimits,
  openContent,
  type PolicyBundleSource,
  type PublishedBundleFiles,
  packPolicyBundle,
  publishedFileNames,
} from '../../shared/policy-bundle/index.ts';
import { openPolicyBundleSource } from '../../shared/policy-bundle/open-policy-bundle-source.ts';
import { createHttpBundleSource } from '../../shared/policy-bundle/policy-bundle-source.http.ts';
import { bundleFiles } from '../support/policy-bundle-fixture.ts';

type Place = {
  readonly source: PolicyBundleSource;
  publish(files: PublishedBundleFiles): Promise<void>;
};

const s3Program = await findS3Server();
let scratch: string;
let s3: S3Server | undefined;
let web: Awaited<ReturnType<typeof startWeb>>;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'uos-source-'));
  s3 = s3Program === undefined ? undefined : await startS3Server({ directory: join(scratch, 's3') });
  await s3?.createBucket('policy');
  web = await startWeb();
});
afterAll(async () => {
  await web.close();
  await s3?.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** Hands each path to the answer set for it, and keeps what was asked. */
async function startWeb() {
  const answers = new Map<string, (req: IncomingMessage, res: ServerResponse) => void>();
  const asked: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    asked.push(req);
    const answer = answers.get(req.url?.split('?')[0] ?? '');
    if (answer === undefined) res.writeHead(404).end();
    else answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { base: `http://127.0.0.1:${port}`, port, answers, asked, close };
}

const openObjects = (url: string) => {
  if (s3 === undefined) throw new Error('no S3 server');
  const { accessKeyId, secretAccessKey } = s3;
  return openObjectStore(
    { url, credentials: { accessKeyId, secretAccessKey } },
    { clock: systemClock, random: systemRandom },
  );
};
const open = (url: string) => openPolicyBundleSource({ openObjects }, url);
let places = 0;

async function inDirectory(): Promise<Place> {
  const directory = join(scratch, `directory-${places++}`);
  const publish = async (files: PublishedBundleFiles) => {
    await mkdir(directory, { recursive: true });
    for (const part of ['wasm', 'data', 'manifest'] as const) {
      await writeFile(join(directory, publishedFileNames[part]), files[part]);
    }
  };
  return { source: open(pathToFileURL(directory).href), publish };
}

async function inFile(): Promise<Place> {
  const file = join(scratch, `bundle-${places++}.tar.gz`);
  const publish = async (files: PublishedBundleFiles) => {
    await writeFile(`${file}.new`, await packPolicyBundle(files));
    await rename(`${file}.new`, file);
  };
  return { source: open(pathToFileURL(file).href), publish };
}

async function onWeb(hasTags: boolean): Promise<Place> {
  const path = `/bundle-${places++}.tar.gz`;
  let version = 0;
  const publish = async (files: PublishedBundleFiles) => {
    const archive = await packPolicyBundle(files);
    const etag = `"v${++version}"`;
    web.answers.set(path, (req, res) => {
      if (hasTags && req.headers['if-none-match'] === etag) return res.writeHead(304).end();
      return res.writeHead(200, hasTags ? { etag } : {}).end(archive);
    });
  };
  return { source: open(`${web.base}${path}?token=secret`), publish };
}

async function inBucket(): Promise<Place> {
  const key = `team/bundle-${places++}.tar.gz`;
  const settings = `?endpoint=${s3?.endpoint}&region=${s3?.region}`;
  const publish = async (files: PublishedBundleFiles) =>
    openObjects(`s3://policy${settings}`).put(key, await packPolicyBundle(files), {
      contentType: 'application/gzip',
    });
  return { source: open(`s3://policy/${key}${settings}`), publish };
}

describe.each([
  { name: 'a directory', create: inDirectory, skip: false },
  { name: 'an archive file', create: inFile, skip: false },
  { name: 'an address with entity tags', create: () => onWeb(true), skip: false },
  { name: 'an address without entity tags', create: () => onWeb(false), skip: false },
  { name: 'a real S3 server', create: inBucket, skip: s3Program === undefined },
])('a source that is $name', ({ create, skip }) => {
  test.skipIf(skip)('gives what was published, says when it is unchanged, and gives the next', async () => {
    const { source, publish } = await create();
    let tag: string | undefined;
    for (const revision of ['first', 'second']) {
      await publish(await bundleFiles({ revision, version: 1 }));
      const fetched = await source.fetch(tag);
      if (!fetched.ok || fetched.value.status !== 'fetched') throw new Error(JSON.stringify(fetched));
      const files = await openContent(fetched.value.content);
      const bundle = files.ok ? parsePolicyBundle(files.value) : files;
      expect(bundle.ok && bundle.value.manifest.revision).toBe(revision);
      tag = fetched.value.tag;
      expect(await source.fetch(tag)).toEqual({ ok: true, value: { status: 'unchanged' } });
    }
  });

  test.skipIf(skip)('says that there is none, without query or credential', async () => {
    const { source } = await create();
    const missing = await source.fetch(undefined);
    expect(missing).toMatchObject({
      ok: false,
      failure: { code: expect.stringMatching(/^policy_bundle\.(missing|unreachable)$/) },
    });
    expect(JSON.stringify([missing, source.location])).not.toMatch(/secret|[?]/);
  });
});

describe('an address', () => {
  const answerWith = (answer: (req: IncomingMessage, res: ServerResponse) => void) => {
    const path = `/odd-${places++}`;
    web.answers.set(path, answer);
    return createHttpBundleSource(`${web.base}${path}`, { timeoutMs: 300 });
  };

  test('may redirect within its origin', async () => {
    web.answers.set('/moved', (_req, res) => res.writeHead(302, { location: '/new' }).end());
    web.answers.set('/new', (_req, res) => res.end('x'));
    const fetched = await createHttpBundleSource(`${web.base}/moved`).fetch(undefined);
    expect(fetched).toMatchObject({ ok: true, value: { status: 'fetched' } });
  });

  // Whoever can make the server redirect could otherwise choose the policy, or reach what only we can reach.
  test('may not redirect to another host, port or for ever', async () => {
    const other = await startWeb();
    other.answers.set('/x', (_req, res) => res.end('x'));
    for (const to of [`${other.base}/x`, `http://localhost:${web.port}/new`, 'file:///etc/passwd']) {
      const source = answerWith((_req, res) => res.writeHead(302, { location: to }).end());
      expect(await source.fetch(undefined)).toMatchObject({
        ok: false,
        failure: { code: 'policy_bundle.unreachable' },
      });
    }
    expect(other.asked).toEqual([]);
    await other.close();
    const endless = answerWith((req, res) => res.writeHead(302, { location: req.url ?? '' }).end());
    expect((await endless.fetch(undefined)).ok).toBe(false);
  });

  test.each([
    ['answers 500', (_req: IncomingMessage, res: ServerResponse) => res.writeHead(500).end()],
    [
      'answers 304 to an unconditional request',
      (_req: IncomingMessage, res: ServerResponse) => res.writeHead(304).end(),
    ],
    ['never answers', () => undefined],
    [
      'stops half-way',
      (_req: IncomingMessage, res: ServerResponse) =>
        res.writeHead(200, { 'content-length': 10 }).write('half'),
    ],
    ['hangs up', (req: IncomingMessage) => req.socket.destroy()],
  ])('that %s is unreachable, within the deadline', async (_what, answer) => {
    expect(await answerWith(answer).fetch(undefined)).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.unreachable' },
    });
  });

  test('that sends more than the bound is left before it has sent all', async () => {
    const source = createHttpBundleSource(`${web.base}/large`);
    let sent = 0;
    web.answers.set('/large', (_req, res) => {
      const chunk = Buffer.alloc(1 << 20);
      const more = () => {
        while (!res.destroyed && sent++ < 1_000 && res.write(chunk));
      };
      res.on('drain', more);
      more();
    });
    expect(await source.fetch(undefined)).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.too_large' },
    });
    expect(sent * 2 ** 20).toBeLessThan(bundleLimits.archiveBytesMax * 8);
  });

  test.each(['http://policy.example.test/b.tar.gz', 'https://user:pass@policy.example.test/b', 'ftp://x/b'])(
    '%s is refused at once',
    (url) => expect(() => open(url)).toThrow(/policy bundle/),
  );
});
