import { type DatabasePool, withOrg } from '../db/index.ts';
import { canonicalJson, fail, invariant, ok, type Result } from '../kernel/index.ts';
import {
  formatTilePath,
  isSameHash,
  logFiles,
  openCheckpoint,
  parseVerifierKey,
  proveInclusion,
  type TreeHead,
} from '../tlog/index.ts';
import type { AuditExport, PinnedLog } from './audit-export.ts';
import type { FinalExportFailure } from './audit-export-failure.ts';
import type { AuditEntry } from './audit-log.ts';
import type { AuditLogStore } from './audit-log-store.ts';
import { type ExportedLog, exportPaths } from './export-manifest.ts';

export type ExportLogDeps = { readonly pool: DatabasePool; readonly store: AuditLogStore };

/** Writes one file of the export, its path relative to the export. */
export type WriteFile = (path: string, bytes: Uint8Array, contentType: string) => Promise<void>;

export type ExportLogInput = {
  readonly requested: AuditExport;
  readonly pinned: PinnedLog;
  readonly write: WriteFile;
};

const entriesAtOnce = 1024;
/** Of one day's events or proofs: they are one object, built in memory. */
const textBytesMax = 200 * 1024 * 1024;

/** Writes one log whole, its events of the window with their proofs, and its key; all from rows, up to the pinned size. */
export async function exportLog(
  deps: ExportLogDeps,
  { requested, pinned, write }: ExportLogInput,
): Promise<Result<ExportedLog, FinalExportFailure>> {
  const paths = exportPaths(pinned.day);
  const head = headOf(pinned);
  const windowed: AuditEntry[] = [];
  const tiles = new Map<string, Uint8Array>();
  const files = logFiles(leavesOf(deps, { requested, pinned, windowed }));
  for (let step = await files.next(); ; step = await files.next()) {
    if (step.done) {
      if (!isSameHash(step.value.root, head.root)) return fail({ code: 'audit_export.log_damaged' });
      break;
    }
    const { path, bytes } = step.value;
    if (!path.startsWith('tile/entries/')) tiles.set(path, bytes);
    await write(paths.log + path, bytes, 'application/octet-stream');
  }
  const events = windowed.map((entry) => `${entry.leaf}\n`);
  const proofs = await proofLines(windowed, { size: head.size, tiles });
  if (bytesOf(events) > textBytesMax || bytesOf(proofs) > textBytesMax)
    return fail({ code: 'audit_export.too_large' });
  await write(`${paths.log}checkpoint`, Buffer.from(pinned.checkpoint), 'text/plain; charset=utf-8');
  await write(paths.verifierKey, Buffer.from(`${pinned.verifierKey}\n`), 'text/plain; charset=utf-8');
  await write(paths.events, Buffer.from(events.join('')), 'application/x-ndjson');
  await write(paths.proofs, Buffer.from(proofs.join('')), 'application/x-ndjson');
  return ok({ day: pinned.day, origin: head.origin, size: head.size, events: windowed.length });
}

/** All entries in order, and those of the window kept aside. */
async function* leavesOf(
  { pool, store }: ExportLogDeps,
  { requested, pinned, windowed }: Omit<ExportLogInput, 'write'> & { windowed: AuditEntry[] },
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < pinned.size; from += entriesAtOnce) {
    const to = Math.min(from + entriesAtOnce, pinned.size);
    const entries = await withOrg(pool, requested.organizationId, (tx) =>
      store.listEntries(tx, pinned.day, { from, to }),
    );
    for (const entry of entries) {
      if (requested.from <= entry.occurredAt && entry.occurredAt < requested.to) windowed.push(entry);
      yield Buffer.from(entry.leaf);
    }
  }
}

async function proofLines(
  entries: readonly AuditEntry[],
  { size, tiles }: { size: number; tiles: ReadonlyMap<string, Uint8Array> },
): Promise<string[]> {
  const read = (tile: Parameters<typeof formatTilePath>[0]) => {
    const hashes = tiles.get(formatTilePath(tile));
    invariant(hashes !== undefined, `the tree has no ${formatTilePath(tile)}`);
    return hashes;
  };
  const lines: string[] = [];
  for (const { index, eventId } of entries) {
    const hashes = await proveInclusion({ index, size, read });
    const proof = hashes.map((hash) => Buffer.from(hash).toString('base64'));
    lines.push(`${canonicalJson({ eventId, index, proof })}\n`);
  }
  return lines;
}

function headOf(pinned: PinnedLog): TreeHead & { readonly origin: string } {
  const key = parseVerifierKey(pinned.verifierKey);
  invariant(key.ok, `the key of the log of ${pinned.day} does not parse`);
  const head = openCheckpoint(Buffer.from(pinned.checkpoint), key.value);
  invariant(head.ok && head.value.size === pinned.size, `the checkpoint of ${pinned.day} is not its own`);
  return head.value;
}

function bytesOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
}
