import { z } from 'zod';
import {
  decodeEntryBundle,
  formatTilePath,
  type LogFailure,
  type LogReader,
  openCheckpoint,
  parseTilePath,
  parseVerifierKey,
  type TilePath,
  tileAt,
  tileWidth,
  type VerifierKey,
  verifyLog,
} from '../tlog/index.ts';
import type { ExportFinding } from './export-finding.ts';
import { type ExportedLog, type ExportManifest, exportPaths } from './export-manifest.ts';
import { parseJson } from './parse-json.ts';
import { verifyExportedLines } from './verify-exported-lines.ts';

export type LogVerdict = {
  readonly day: string;
  readonly size: number;
  readonly events: number;
  readonly findings: readonly ExportFinding[];
};

type Input = {
  readonly read: LogReader;
  readonly log: ExportedLog;
  readonly manifest: ExportManifest;
  readonly trustedKey?: string;
};

const bundleBytesMax = tileWidth * (2 + 0xffff);
const checkpointBytesMax = 256 * 1024;
/** One damage can spoil every line after it; more findings tell nothing more. */
const findingsMax = 20;

export async function verifyExportedLog(input: Input): Promise<LogVerdict> {
  const { log } = input;
  const findings = (await findDamage(input)).slice(0, findingsMax);
  return { day: log.day, size: log.size, events: log.events, findings };
}

async function findDamage(input: Input): Promise<ExportFinding[]> {
  const { log } = input;
  const paths = exportPaths(log.day);
  const key = await readKey(input);
  if ('problem' in key) return [key];
  const read: LogReader = (path, bytesMax) => input.read(paths.log + path, bytesMax);
  const verified = await verifyLog({ read, key });
  const ofLog = verified.ok ? [] : [await toFinding(read, log, verified.failure)];
  // The lines are held against what was signed, also where the files of the log are damaged.
  const head = openCheckpoint((await read('checkpoint', checkpointBytesMax)) ?? new Uint8Array(), key);
  if (!head.ok) return ofLog;
  if (head.value.size !== log.size)
    return [...ofLog, { path: `${paths.log}checkpoint`, problem: `the log has ${head.value.size} entries` }];
  const lines = await verifyExportedLines(input.read, log, head.value);
  const leftOut = verified.ok ? await findLeftOut(input, read, lines.indexes) : [];
  return [...ofLog, ...lines.findings, ...leftOut];
}

async function readKey({ read, log, trustedKey }: Input): Promise<VerifierKey | ExportFinding> {
  const path = exportPaths(log.day).verifierKey;
  const key = parseVerifierKey(Buffer.from((await read(path, 4096)) ?? []).toString('utf8'));
  if (!key.ok) return { path, problem: `the verifier key cannot be read: ${key.failure.reason}` };
  if (key.value.name !== log.origin) return { path, problem: `the key belongs to "${key.value.name}"` };
  if (trustedKey === undefined) return key.value;
  const trusted = parseVerifierKey(trustedKey);
  const isTrusted = trusted.ok && trusted.value.publicKey.equals(key.value.publicKey);
  return isTrusted ? key.value : { path, problem: 'the key is not the one that is trusted' };
}

/** Entries of the log that fall in the window and were not exported. */
async function findLeftOut(
  { log, manifest }: Input,
  read: LogReader,
  indexes: ReadonlySet<number>,
): Promise<ExportFinding[]> {
  const from = new Date(manifest.window.from);
  const to = new Date(manifest.window.to);
  const findings: ExportFinding[] = [];
  for (let start = 0; start < log.size; start += tileWidth) {
    const tile = tileAt(log.size, { level: 0, index: start / tileWidth });
    const entries = await readBundle(read, { ...tile, level: 'entries' });
    for (const [at, entry] of entries.entries()) {
      const event = parseJson(eventNames, entry);
      const time = new Date(event?.time ?? Number.NaN);
      if (event === undefined || time < from || !(time < to) || indexes.has(start + at)) continue;
      const name = { day: log.day, index: start + at, eventId: event.id };
      findings.push({ path: exportPaths(log.day).events, problem: 'an event is left out', entry: name });
    }
  }
  return findings;
}

async function toFinding(read: LogReader, log: ExportedLog, failure: LogFailure): Promise<ExportFinding> {
  const { code, ...detail } = failure;
  const path = exportPaths(log.day).log + ('path' in failure ? failure.path : 'checkpoint');
  if (failure.code !== 'log.entry_damaged') return { path, problem: `${code} ${JSON.stringify(detail)}` };
  const eventId = await eventIdAt(read, failure);
  const entry = { day: log.day, index: failure.index, ...(eventId === undefined ? {} : { eventId }) };
  return { path, problem: 'the entry is not the one that was signed', entry };
}

/** Which event stood where the log is damaged, if its bytes still tell. */
async function eventIdAt(
  read: LogReader,
  failure: { index: number; path: string },
): Promise<string | undefined> {
  const tile = parseTilePath(failure.path);
  const entries = tile.ok ? await readBundle(read, tile.value) : [];
  const entry = entries[failure.index % tileWidth];
  return entry && parseJson(eventNames, entry)?.id;
}

async function readBundle(read: LogReader, tile: TilePath): Promise<readonly Uint8Array[]> {
  const bytes = await read(formatTilePath(tile), bundleBytesMax);
  const entries = decodeEntryBundle(bytes ?? new Uint8Array(), tile.width);
  return entries.ok ? entries.value : entries.failure.entriesRead;
}

const eventNames = z.object({ id: z.string(), time: z.string() });
