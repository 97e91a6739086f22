import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goProgram, goTool } from '../../knative/local/go-tool.ts';
import { entryBytesMax, formatVerifierKey, verifyLog } from '../../shared/tlog/index.ts';
import { askFsck, askVerifier, fsck } from '../support/fsck.ts';
import { damage, type LogDirectory, writeLog, writeProof } from './tlog-directory.ts';

const spicy = await goTool({ name: 'spicy', version: '0.9.0', module: 'filippo.io/torchwood/cmd/spicy' });
const sumdb = await goProgram({
  name: 'sumdb-verifier',
  directory: join(import.meta.dirname, 'sumdb-verifier'),
});

const entryOf = (index: number) => Buffer.from(`{"id":"evt_${index}"}`);
const entriesOf = (size: number) => Array.from({ length: size }, (_, index) => entryOf(index));
const askSumdb = (log: LogDirectory, index: number, entry: string) =>
  askVerifier(sumdb, [log.path, formatVerifierKey(log.key), String(index), `${entry}.tlog-proof`]);
const askSpicy = (log: LogDirectory, entry: string) =>
  askVerifier(spicy, ['-verify', formatVerifierKey(log.key), entry]);
const askOurs = (log: LogDirectory) =>
  verifyLog({ key: log.key, read: (path) => readFile(join(log.path, path)) });

const root = await mkdtemp(join(tmpdir(), 'uos-tlog-'));
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each([1, 255, 256, 257, 70_000])('a log of %i entries', { timeout: 120_000 }, (size) => {
  let log: LogDirectory;
  beforeAll(async () => {
    log = await writeLog(join(root, `good-${size}`), entriesOf(size));
  }, 120_000);

  test('is whole for our own verifier', async () => {
    expect(await askOurs(log)).toMatchObject({ ok: true, value: { size } });
  });

  test.skipIf(fsck === undefined)('is whole for fsck of tessera', async () => {
    expect(await askFsck(log)).toMatchObject({ accepted: true });
  });

  test.skipIf(sumdb === undefined)('is genuine for sumdb of Go, with our proof of any entry', async () => {
    for (const index of new Set([0, Math.floor(size / 3), size - 1])) {
      const entry = await writeProof(log, index, entryOf(index));
      expect(await askSumdb(log, index, entry)).toEqual({
        accepted: true,
        output: `verified entry ${index} of ${size}\n`,
      });
    }
  });

  test.skipIf(spicy === undefined)('proves an entry to spicy of torchwood', async () => {
    const entry = await writeProof(log, size - 1, entryOf(size - 1));
    expect(await askSpicy(log, entry)).toMatchObject({ accepted: true });
  });
});

describe('a log of the largest entries we admit', { timeout: 60_000 }, () => {
  const entries = [Buffer.alloc(entryBytesMax, 'a'), Buffer.alloc(0), Buffer.alloc(entryBytesMax, 'b')];

  test.skipIf(fsck === undefined || sumdb === undefined)('is read by outside verifiers', async () => {
    const log = await writeLog(join(root, 'large'), entries);
    const entry = await writeProof(log, 2, entries[2] ?? Buffer.alloc(0));
    expect(await askFsck(log)).toMatchObject({ accepted: true });
    expect(await askSumdb(log, 2, entry)).toMatchObject({ accepted: true });
  });
});

// Threat: whoever can write the storage changes the past. That the judges accept good logs means nothing unless
// they refuse these.
describe('a damaged log', { timeout: 120_000 }, () => {
  const writeDamaged = async (name: string, path: string, offset: number) => {
    const log = await writeLog(join(root, name), entriesOf(600));
    const entry = await writeProof(log, 300, entryOf(300));
    await damage(log, path, offset);
    return { log, entry };
  };
  const inEntry300 =
    2 * 44 +
    entriesOf(300)
      .slice(256)
      .reduce((bytes, entry) => bytes + entry.byteLength, 0) +
    6;

  test.each([
    ['entry', 'tile/entries/001', inEntry300, { code: 'log.entry_damaged', index: 300 }],
    ['leaf hash', 'tile/0/001', 44 * 32, { code: 'log.tile_damaged', path: 'tile/0/001', from: 300 }],
    ['tile hash', 'tile/1/000.p/2', 32, { code: 'log.tile_damaged', path: 'tile/1/000.p/2', from: 256 }],
    ['size', 'checkpoint', 'audit.example.com/org/2026-01-31\n'.length, {}],
  ])('is refused by everyone for a changed %s', async (what, path, offset, failure) => {
    const { log, entry } = await writeDamaged(what, path, offset);
    expect(await askOurs(log)).toMatchObject({ ok: false, failure });
    if (fsck !== undefined) {
      const verdict = await askFsck(log);
      expect(verdict).toEqual({ accepted: false, output: expect.stringContaining('fsck failed') });
    }
    if (sumdb !== undefined) expect(await askSumdb(log, 300, entry)).toMatchObject({ accepted: false });
  });

  test.skipIf(spicy === undefined)('does not prove a changed entry to spicy', async () => {
    const log = await writeLog(join(root, 'changed-entry'), entriesOf(600));
    const entry = await writeProof(log, 300, entryOf(301));
    expect(await askSpicy(log, entry)).toEqual({
      accepted: false,
      output: expect.stringContaining('could not verify inclusion'),
    });
  });
});
