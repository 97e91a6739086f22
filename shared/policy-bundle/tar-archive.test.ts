import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTarGz, writeTarGz } from './tar-archive.ts';

const limits = { unpackedBytesMax: 1_000_000 };
const bytes = (text: string) => Buffer.from(text);
const members = [
  ['manifest.json', bytes('{}')],
  ['empty', bytes('')],
  ['full.bin', Buffer.alloc(1024, 7)],
] as const;

function inScratch<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'uos-tar-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A header of the given type over no content, its checksum right. */
async function withType(type: string): Promise<Buffer> {
  const tar = gunzipSync(await writeTarGz([['member', bytes('')]]));
  const was = tar[156] ?? 0;
  tar.write(type, 156, 'latin1');
  const sum = Number.parseInt(tar.toString('latin1', 148, 154), 8) - was + type.charCodeAt(0);
  tar.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
  return gzipSync(tar);
}

describe('an archive', () => {
  test('gives back the files put in, byte for byte', async () => {
    const files = fc.uniqueArray(
      fc.tuple(
        fc.stringMatching(/^[a-z0-9_-]{1,40}(\/[a-z0-9.]{1,20})?$/),
        fc.uint8Array({ maxLength: 2000 }),
      ),
      { selector: ([path]) => path, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        const read = await readTarGz(await writeTarGz(given), limits);
        expect(read.ok && [...read.value].map(([path, file]) => [path, new Uint8Array(file)])).toEqual(given);
      }),
      { numRuns: 50 },
    );
  });

  test('is the same for the same files', async () => {
    expect(await writeTarGz(members)).toEqual(await writeTarGz(members));
  });

  test('can be unpacked by tar, and what tar packs can be read', async () => {
    const archive = await writeTarGz(members);
    const repacked = inScratch((directory) => {
      writeFileSync(join(directory, 'a.tar.gz'), archive);
      execFileSync('tar', ['-xzf', 'a.tar.gz', ...members.map(([path]) => path)], { cwd: directory });
      for (const [path, content] of members) expect(readFileSync(join(directory, path))).toEqual(content);
      const names = members.map(([path]) => `./${path}`);
      execFileSync('tar', ['--format=ustar', '-czf', 'b.tar.gz', ...names], { cwd: directory });
      return readFileSync(join(directory, 'b.tar.gz'));
    });
    const read = await readTarGz(repacked, limits);
    expect(read.ok && new Map(read.value)).toEqual(new Map(members));
  });

  test.each([
    ['is no gzip file', async () => bytes('manifest')],
    ['is cut off', async () => (await writeTarGz(members)).subarray(0, 60)],
    ['ends within a file', async () => gzipSync(Buffer.alloc(512).fill(await headerOf(members[2])))],
    ['has a damaged header', async () => gzipSync(Buffer.alloc(1024, 0x31))],
    ['names a file twice', () => writeTarGz([members[0], members[0]])],
    // A link could lead anywhere for a reader that unpacks to disk.
    ['holds a link', () => withType('2')],
    ['holds a device', () => withType('3')],
    ['has extended headers', () => withType('x')],
  ])('that %s is refused', async (_what, make) => {
    const read = await readTarGz(await make(), limits);
    expect(read).toMatchObject({ ok: false, failure: { code: 'archive.malformed' } });
  });

  // A gzip bomb: a few kilobytes that unpack to gigabytes.
  test('that unpacks to more than the bound is refused before it has', async () => {
    const bomb = gzipSync(Buffer.alloc(8_000_000));
    expect(bomb.byteLength).toBeLessThan(10_000);
    expect((await readTarGz(bomb, limits)).ok).toBe(false);
  });
});

async function headerOf(member: readonly [string, Buffer]): Promise<Buffer> {
  return gunzipSync(await writeTarGz([member])).subarray(0, 512);
}
