import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaves,
  createNoteSigner,
  decodeEntryBundle,
  hashLeaf,
  logFiles,
  parseTilePath,
  signCheckpoint,
  verifyLog,
} from './index.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = createNoteSigner({ name: 'example.com/log', privateKey });
type Files = Map<string, Buffer>;

const entryOf = (index: number) => Buffer.from(`{"id":"evt_${index}"}`);

async function buildLog(size: number): Promise<Files> {
  const entries = Array.from({ length: size }, (_, index) => entryOf(index));
  const files: Files = new Map();
  const writing = logFiles(entries);
  for (let step = await writing.next(); ; step = await writing.next()) {
    if (step.done) return files.set('checkpoint', Buffer.from(await signCheckpoint(step.value, signer)));
    files.set(step.value.path, Buffer.from(step.value.bytes));
  }
}

function verify(files: Files, entriesMax?: number) {
  return verifyLog({
    key: signer.verifierKey,
    read: async (path) => files.get(path),
    ...(entriesMax === undefined ? {} : { entriesMax }),
  });
}

function changed(files: Files, path: string, change: (bytes: Buffer) => void): Files {
  const bytes = Buffer.from(files.get(path) ?? '');
  change(bytes);
  return new Map(files).set(path, bytes);
}

/** Position of the entry whose length or content lies at a place in a bundle. */
function entryAt(bundle: Buffer, place: number): number {
  let position = 0;
  for (let end = 0; ; position++) {
    end += 2 + bundle.readUInt16BE(end);
    if (place < end) return position;
  }
}

/** What must be said when a bit at this place of this file is wrong. */
function expectedFailure(files: Files, path: string, place: number) {
  const tile = parseTilePath(path);
  if (!tile.ok) return { code: expect.stringMatching(/^log\.(malformed|checkpoint_signature_invalid)$/) };
  const { level, index } = tile.value;
  if (level === 'entries') {
    const position = entryAt(files.get(path) ?? Buffer.alloc(0), place);
    return { code: 'log.entry_damaged', path, index: index * 256 + position };
  }
  const from = (index * 256 + Math.floor(place / 32)) * 256 ** level;
  return { code: 'log.tile_damaged', path, from, to: from + 256 ** level };
}

const logs = new Map<number, Files>();
for (const size of [1, 255, 256, 257, 600]) logs.set(size, await buildLog(size));
const filesOf = (size: number) => logs.get(size) ?? new Map<string, Buffer>();
const anyLog = fc.constantFrom(...logs.keys()).map(filesOf);
const anyFile = anyLog.chain((files) => fc.tuple(fc.constant(files), fc.constantFrom(...files.keys())));

describe('a whole log', () => {
  test.each([...logs.keys()])('of %i entries verifies', async (size) => {
    expect(await verify(filesOf(size))).toMatchObject({ ok: true, value: { size } });
  });

  test('without entries is its checkpoint alone', async () => {
    const files = await buildLog(0);
    expect([...files.keys()]).toEqual(['checkpoint']);
    expect(await verify(files)).toMatchObject({ ok: true, value: { size: 0 } });
  });
});

describe('a damaged log', () => {
  test('is refused, and the damaged entry or tile named, for any single changed bit in any file', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, fc.nat(), fc.nat({ max: 7 }), async ([files, path], seed, bit) => {
        const place = seed % (files.get(path)?.byteLength ?? 1);
        const flipped = changed(files, path, (bytes) =>
          bytes.writeUInt8((bytes[place] ?? 0) ^ (1 << bit), place),
        );
        expect(await verify(flipped)).toMatchObject({
          ok: false,
          failure: expectedFailure(files, path, place),
        });
      }),
      { numRuns: 400 },
    );
  }, 60_000);

  test('names the file that is missing, whichever it is', async () => {
    for (const path of filesOf(600).keys()) {
      const files = new Map(filesOf(600));
      files.delete(path);
      expect(await verify(files)).toEqual({ ok: false, failure: { code: 'log.file_missing', path } });
    }
  });

  test('is refused without a throw, whatever a file holds', async () => {
    await fc.assert(
      fc.asyncProperty(anyFile, fc.uint8Array({ maxLength: 9000 }), async ([files, path], bytes) => {
        expect((await verify(new Map(files).set(path, Buffer.from(bytes)))).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test.each([
    ['tile/0/000', 8191],
    ['tile/0/000', 8224],
    ['tile/1/000.p/2', 0],
    ['checkpoint', 300_000],
    ['tile/entries/000', 20_000_000],
  ])('refuses %s of %i bytes as malformed', async (path, bytes) => {
    const files = new Map(filesOf(600)).set(path, Buffer.alloc(bytes, 'a'));
    expect(await verify(files)).toMatchObject({ ok: false, failure: { code: 'log.malformed', path } });
  });

  test('names the first entry that a shortened bundle lacks', async () => {
    const path = 'tile/entries/001';
    const bundle = filesOf(600).get(path) ?? Buffer.alloc(0);
    const decoded = decodeEntryBundle(bundle, 256);
    const last = decoded.ok ? (decoded.value.at(-1)?.byteLength ?? 0) : 0;
    const files = new Map(filesOf(600)).set(path, bundle.subarray(0, bundle.byteLength - last - 2));
    expect(await verify(files)).toEqual({
      ok: false,
      failure: { code: 'log.entry_damaged', index: 511, path },
    });
  });

  test('refuses an entry added behind the signed ones', async () => {
    const path = 'tile/entries/002.p/88';
    const longer = Buffer.concat([filesOf(600).get(path) ?? Buffer.alloc(0), Buffer.from([0, 1, 97])]);
    const files = new Map(filesOf(600)).set(path, longer);
    expect(await verify(files)).toMatchObject({ ok: false, failure: { code: 'log.malformed', path } });
  });
});

// Threat: someone who can write the storage changes an entry and everything computed from it, but cannot sign.
describe('a forged log', () => {
  function forged(index: number, size = 600): Files {
    const bundle = `tile/entries/00${Math.floor(index / 256)}${index >= 512 ? '.p/88' : ''}`;
    const tile = bundle.replace('entries', '0');
    const entry = entryOf(index);
    const other = Buffer.from(entry.toString().replace('evt', 'EVT'));
    const files = changed(filesOf(size), bundle, (bytes) => other.copy(bytes, bytes.indexOf(entry)));
    return changed(files, tile, (bytes) => Buffer.from(hashLeaf(other)).copy(bytes, (index % 256) * 32));
  }

  test('names the tile above and the entries it speaks for when entry and leaf hash agree', async () => {
    expect(await verify(forged(300))).toEqual({
      ok: false,
      failure: { code: 'log.tile_damaged', path: 'tile/1/000.p/2', from: 256, to: 512 },
    });
  });

  test('is betrayed by the signed root when no tile stands above', async () => {
    expect(await verify(forged(599))).toEqual({
      ok: false,
      failure: { code: 'log.root_mismatch', size: 600 },
    });
  });

  test('rewritten as a whole and signed with another key of the same name is refused', async () => {
    const leafHashes = Array.from({ length: 600 }, (_, index) => hashLeaf(Buffer.from(`forged ${index}`)));
    const tree = appendLeaves({ size: 0, tiles: [], leafHashes });
    const stranger = createNoteSigner({
      name: 'example.com/log',
      privateKey: generateKeyPairSync('ed25519').privateKey,
    });
    const files = new Map(filesOf(600)).set('checkpoint', Buffer.from(await signCheckpoint(tree, stranger)));
    expect(await verify(files)).toEqual({ ok: false, failure: { code: 'log.checkpoint_signature_invalid' } });
  });

  test('is not read at all when its checkpoint claims more entries than the reader allows', async () => {
    const huge = { size: Number.MAX_SAFE_INTEGER, root: Buffer.alloc(32) };
    const files = new Map([['checkpoint', Buffer.from(await signCheckpoint(huge, signer))]]);
    expect(await verify(files, 1000)).toEqual({
      ok: false,
      failure: { code: 'log.too_large', size: Number.MAX_SAFE_INTEGER, entriesMax: 1000 },
    });
    expect(await verify(new Map([...filesOf(600), ...files]), Number.MAX_SAFE_INTEGER)).toMatchObject({
      ok: false,
    });
  });
});
