import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createIsomorphicGitRepository } from '../../shared/declarative/git-repository.isomorphic.ts';
import { canServeGit, startTestGit, type TestGit } from '../support/git-server.ts';

const isServed = await canServeGit();
const under = 'organizations/';
const servers: Server[] = [];
let cacheDirectory: string;

beforeAll(async () => {
  cacheDirectory = await mkdtemp(join(tmpdir(), 'uos-cache-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

function createReader(options: Partial<Parameters<typeof createIsomorphicGitRepository>[0]> = {}) {
  return createIsomorphicGitRepository({ cacheDirectory, timeoutMs: 30_000, ...options });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
}

describe.skipIf(!isServed)('a repository behind git http-backend', () => {
  let forge: TestGit;
  beforeAll(async () => {
    forge = await startTestGit();
  });
  afterAll(() => forge.close());

  test('is read at exactly the commit asked for, also after the branch has moved on', async () => {
    const url = await forge.createRepository('moved');
    const first = await forge.push(url, { 'organizations/acme/org.yaml': 'one', 'README.md': 'hello' });
    const second = await forge.push(url, { 'organizations/acme/org.yaml': 'two' });
    const reader = createReader();
    expect(await reader.resolveRef({ url, ref: 'main' })).toEqual({ ok: true, value: second });
    for (const [commit, text] of [
      [first, 'one'],
      [second, 'two'],
    ] as const) {
      const read = await reader.readTree({ url, commit, under });
      expect(read).toMatchObject({
        ok: true,
        value: {
          commit,
          faults: [],
          unchanged: [],
          organizations: [
            { slug: 'acme', faults: [], files: [{ path: 'organizations/acme/org.yaml', text }] },
          ],
        },
      });
    }
  });

  test('is skipped folder by folder where nothing changed, and only there', async () => {
    const url = await forge.createRepository('unchanged');
    const commit = await forge.push(url, { 'organizations/a/o.yaml': 'a', 'organizations/b/o.yml': 'b' });
    const reader = createReader();
    const first = await reader.readTree({ url, commit, under });
    if (!first.ok) throw new Error(first.failure.code);
    const unchangedTreeOids = new Map(first.value.organizations.map(({ slug, treeOid }) => [slug, treeOid]));
    const next = await forge.push(url, { 'organizations/b/o.yml': 'b2', 'organizations/c/o.yaml': 'c' });
    const second = await reader.readTree({ url, commit: next, under, unchangedTreeOids });
    expect(second).toMatchObject({
      ok: true,
      value: { unchanged: ['a'], organizations: [{ slug: 'b' }, { slug: 'c' }] },
    });
  });

  test('sends again only what changed, and everything to a reader that has lost its packs', async () => {
    const url = await forge.createRepository('incremental');
    const noise = Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 9973).join(' ');
    const commit = await forge.push(url, { 'organizations/a/o.yaml': 'a', 'noise.txt': noise });
    const directory = await mkdtemp(join(cacheDirectory, 'packs-'));
    expect(await createReader({ cacheDirectory: directory }).readTree({ url, commit, under })).toMatchObject({
      ok: true,
    });
    const next = await forge.push(url, { 'organizations/b/o.yaml': 'b' });
    const limits = { responseBytesMax: 4000 };
    const readNext = (from: string) =>
      createReader({ cacheDirectory: from, limits }).readTree({ url, commit: next, under });
    expect(await readNext(directory)).toMatchObject({
      ok: true,
      value: { organizations: [{ slug: 'a' }, { slug: 'b' }] },
    });
    expect(await readNext(join(directory, 'elsewhere'))).toMatchObject({
      failure: { limit: 'responseBytesMax' },
    });
  });

  test('is fetched anew when the packs kept from before are damaged', async () => {
    const url = await forge.createRepository('damaged');
    const commit = await forge.push(url, { 'organizations/a/o.yaml': 'a' });
    const directory = await mkdtemp(join(cacheDirectory, 'packs-'));
    const reader = createReader({ cacheDirectory: directory });
    expect(await reader.readTree({ url, commit, under })).toMatchObject({ ok: true });
    const packs = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.pack'));
    for (const pack of packs) await writeFile(join(directory, pack), 'not a pack');
    expect(packs).toHaveLength(1);
    const next = await forge.push(url, { 'organizations/b/o.yaml': 'b' });
    expect(await reader.readTree({ url, commit: next, under })).toMatchObject({
      ok: true,
      value: { organizations: [{ files: [{ text: 'a' }] }, { files: [{ text: 'b' }] }] },
    });
  });

  test('is read by several at once, also back in time, without one disturbing the other', async () => {
    const url = await forge.createRepository('twice');
    const first = await forge.push(url, { 'organizations/a/o.yaml': 'one' });
    const second = await forge.push(url, { 'organizations/a/o.yaml': 'two' });
    const reader = createReader();
    const reads = await Promise.all(
      [second, first, second].map((commit) => reader.readTree({ url, commit, under })),
    );
    const texts = reads.map((read) =>
      read.ok ? read.value.organizations[0]?.files[0]?.text : read.failure.code,
    );
    expect(texts).toEqual(['two', 'one', 'two']);
  });

  test('yields a fault, and no content, for each link, submodule, folder, oversized and non-UTF-8 file', async () => {
    const url = await forge.createRepository('hostile');
    const commit = await forge.pushEntries(url, [
      { mode: '100644', path: 'organizations/README.md', content: 'not an organization' },
      { mode: '120000', path: 'organizations/linked', content: '../../../etc' },
      { mode: '160000', path: 'organizations/module', content: 'a'.repeat(40) },
      { mode: '100644', path: 'organizations/Not_A_Label/o.yaml', content: 'x' },
      { mode: '120000', path: 'organizations/acme/passwd.yaml', content: '/etc/passwd' },
      { mode: '100644', path: 'organizations/acme/deep/o.yaml', content: 'x' },
      { mode: '100644', path: 'organizations/acme/big.yaml', content: 'x'.repeat(2000) },
      { mode: '100644', path: 'organizations/acme/latin.yaml', content: Buffer.from([0x61, 0xe4, 0x62]) },
      { mode: '100755', path: 'organizations/acme/run.yaml', content: 'fine' },
      { mode: '100644', path: 'organizations/acme/notes.md', content: 'ignored' },
    ]);
    const read = await createReader({ limits: { fileBytesMax: 1000 } }).readTree({
      url,
      commit,
      under,
    });
    if (!read.ok) throw new Error(read.failure.code);
    const bySlug = Object.fromEntries(read.value.organizations.map((tree) => [tree.slug, tree]));
    expect(read.value.faults.map(({ file }) => file)).toEqual(['organizations/Not_A_Label']);
    expect(Object.keys(bySlug)).toEqual(['acme', 'linked', 'module']);
    expect(bySlug['linked']).toMatchObject({ files: [], faults: [{ file: 'organizations/linked' }] });
    expect(bySlug['module']).toMatchObject({ files: [], faults: [{ file: 'organizations/module' }] });
    expect(bySlug['acme']?.files).toEqual([{ path: 'organizations/acme/run.yaml', text: 'fine' }]);
    expect(bySlug['acme']?.faults.map(({ file }) => file.split('/').at(-1))).toEqual([
      'big.yaml',
      'deep',
      'latin.yaml',
      'passwd.yaml',
    ]);
  });

  test('names what does not exist: repository, ref, commit, folder', async () => {
    const url = await forge.createRepository('missing');
    const commit = await forge.push(url, { 'README.md': 'empty' });
    const reader = createReader();
    const ask = { url, commit, under };
    const failed = (code: string) => ({ ok: false, failure: { code } });
    expect(await reader.resolveRef({ url, ref: 'mian' })).toMatchObject(failed('git.ref_missing'));
    expect(await reader.readTree({ ...ask, commit: 'f'.repeat(40) })).toMatchObject(
      failed('git.commit_missing'),
    );
    expect(await reader.readTree({ ...ask, commit: 'main' })).toMatchObject(failed('git.commit_missing'));
    expect(await reader.readTree(ask)).toMatchObject(failed('git.path_missing'));
    const elsewhere = url.replace('missing', 'nowhere');
    expect(await reader.resolveRef({ url: elsewhere, ref: 'main' })).toMatchObject(
      failed('git.repository_missing'),
    );
  });

  test('from which a commit was pushed away lacks that commit, and no other takes its place', async () => {
    const url = await forge.createRepository('rewritten');
    const lost = await forge.push(url, { 'organizations/acme/o.yaml': 'lost' });
    await forge.pushEntries(url, [{ mode: '100644', path: 'organizations/acme/o.yaml', content: 'other' }]);
    expect(await createReader().readTree({ url, commit: lost, under })).toMatchObject({
      failure: { code: 'git.commit_missing', commit: lost },
    });
  });

  test.each([
    ['responseBytesMax', 500],
    ['organizationsMax', 1],
    ['filesMax', 1],
    ['totalBytesMax', 3],
  ] as const)('larger than %s is refused', async (limit, max) => {
    const url = await forge.createRepository(`limit-${limit.toLowerCase()}`);
    const noise = Array.from({ length: 500 }, (_, index) => (index * 7919) % 9973).join(' ');
    const commit = await forge.push(url, {
      'organizations/a/o.yaml': 'aa',
      'organizations/b/o.yaml': 'bb',
      'noise.txt': noise,
    });
    const read = await createReader({ limits: { [limit]: max } }).readTree({
      url,
      commit,
      under,
    });
    expect(read).toEqual({ ok: false, failure: { code: 'git.limit_exceeded', limit, max } });
  });
});

test.skipIf(!isServed)('a repository that asks for a credential opens with it and not without', async () => {
  const directory = await startTestGit({ authorization: 'Bearer s3cret' });
  try {
    const url = await directory.createRepository('private');
    const commit = await directory.pushEntries(url, [
      { mode: '100644', path: 'organizations/a/o.yaml', content: 'a' },
    ]);
    const reader = createReader();
    const refused = { ok: false, failure: { code: 'git.unauthorized' } };
    expect(await reader.resolveRef({ url, ref: 'main' })).toEqual(refused);
    expect(await reader.readTree({ url, commit, under })).toEqual(refused);
    const authorization = 'Bearer s3cret';
    expect(await reader.resolveRef({ url, ref: 'main', authorization })).toEqual({ ok: true, value: commit });
    expect(await reader.readTree({ url, commit, under, authorization })).toMatchObject({
      ok: true,
    });
  } finally {
    await directory.close();
  }
});

describe('a server that does not behave', () => {
  const commit = 'c'.repeat(40);

  test.each([
    'file:///etc',
    'ssh://git@example.org/x',
    'git@example.org:x',
    'https://user:pw@example.org/x',
    'nonsense',
  ])('is not even asked when its URL is %s', async (url) => {
    expect(await createReader().resolveRef({ url, ref: 'main' })).toMatchObject({
      failure: { code: 'git.url_refused' },
    });
  });

  test('and never answers is given up at the deadline', async () => {
    const url = await serve(() => undefined);
    expect(await createReader({ timeoutMs: 50 }).readTree({ url, commit, under })).toEqual({
      ok: false,
      failure: { code: 'git.timed_out' },
    });
  });

  // Threat: a redirect carries the credential to another host, or the request into the private network.
  test('and redirects is not followed', async () => {
    let followed = false;
    const target = await serve((_request, response) => {
      followed = true;
      response.end();
    });
    const url = await serve((_request, response) => response.writeHead(302, { location: target }).end());
    expect(await createReader().resolveRef({ url, ref: 'main', authorization: 'Bearer x' })).toMatchObject({
      failure: { code: 'git.unreachable', message: expect.stringContaining('redirects') },
    });
    expect(followed).toBe(false);
  });

  test.each([
    ['an error', 500, 'text/plain', 'oops'],
    ['a web page', 200, 'text/html', '<html>sign in</html>'],
  ])('and answers with %s is unreachable, not empty', async (_what, status, type, body) => {
    const url = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': type }).end(body),
    );
    const reader = createReader();
    expect(await reader.resolveRef({ url, ref: 'main' })).toMatchObject({
      failure: { code: 'git.unreachable' },
    });
    expect(await reader.readTree({ url, commit, under })).toMatchObject({ ok: false });
  });

  test('and is gone is unreachable', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    expect(await createReader().readTree({ url, commit, under })).toMatchObject({
      failure: { code: 'git.unreachable', message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  // isomorphic-git issue 2435: an empty pack counts as a successful fetch and the ref moves to nothing.
  test('and sends an empty pack has not sent the commit', async () => {
    const line = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
    const capabilities = 'shallow side-band-64k ofs-delta';
    const refs = `${line(`${commit} HEAD\0${capabilities}\n`)}${line(`${commit} refs/heads/main\n`)}`;
    const advertisement = `${line('# service=git-upload-pack\n')}0000${refs}0000`;
    const url = await serve((request, response) => {
      const isAsked = request.method === 'POST';
      const type = isAsked ? 'result' : 'advertisement';
      response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${type}` });
      response.end(isAsked ? `${line('NAK\n')}0000` : advertisement);
    });
    expect(await createReader().readTree({ url, commit, under })).toEqual({
      ok: false,
      failure: { code: 'git.commit_missing', commit },
    });
  });
});
