import { type DatabasePool, withOrg } from '../db/index.ts';
import { canonicalJson, fail, invariant, ok, type Result } from '../kernel/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import {
  hashLeaf,
  isSameHash,
  logFiles,
  openCheckpoint,
  parseVerifierKey,
  type TreeHead,
} from '../tlog/index.ts';
import type { AuditExport, PinnedLog } from './audit-export.ts';
import type { FinalExportFailure } from './audit-export-failure.ts';
import type { AuditEntry } from './audit-log.ts';
import type { AuditLogStore } from './audit-log-store.ts';
import { type ExportedLog, exportPaths } from './export-manifest.ts';
import { exportSegments } from './export-segments.ts';
import { createInclusionProver } from './inclusion-prover.ts';
import type { WriteFile } from './write-file.ts';

export type ExportLogDeps = {
  readonly pool: DatabasePool;
  readonly store: AuditLogStore;
  readonly objects: Pick<ObjectStore, 'get'>;
};

export type ExportLogInput = {
  readonly requested: AuditExport;
  readonly pinned: PinnedLog;
  readonly write: WriteFile;
};

const entriesAtOnce = 1024;
/** Of one day's events and proofs together: each is one object, built in memory. */
const textBytesMax = 250 * 1024 * 1024;
/** About what a proof takes: twenty hashes in base64. */
const proofBytes = 1000;

/**
 * Writes one log whole, its events of the window with their proofs, the decision records they name, and its key; the
 * log from rows, up to the pinned size.
 */
export async function exportLog(
  deps: ExportLogDeps,
  { requested, pinned, write }: ExportLogInput,
): Promise<Result<ExportedLog, FinalExportFailure>> {
  const paths = exportPaths(pinned.day);
  const head = headOf(pinned);
  const seen: Seen = { windowed: [], leafHashes: [], textBytes: 0 };
  const files = logFiles(leavesOf(deps, { requested, pinned, seen }));
  for (let step = await files.next(); ; step = await files.next()) {
    if (seen.textBytes > textBytesMax) return fail({ code: 'audit_export.too_large' });
    if (step.done) {
      if (!isSameHash(step.value.root, head.root)) return fail({ code: 'audit_export.log_damaged' });
      break;
    }
    await write(paths.log + step.value.path, step.value.bytes, 'application/octet-stream');
  }
  const events = seen.windowed.map((entry) => `${entry.leaf}\n`);
  const proofs = proofLines(seen);
  await write(`${paths.log}checkpoint`, Buffer.from(pinned.checkpoint), 'text/plain; charset=utf-8');
  await write(paths.verifierKey, Buffer.from(`${pinned.verifierKey}\n`), 'text/plain; charset=utf-8');
  await write(paths.events, Buffer.from(events.join('')), 'application/x-ndjson');
  await write(paths.proofs, Buffer.from(proofs.join('')), 'application/x-ndjson');
  const { organizationId } = requested;
  await exportSegments(deps.objects, { organizationId, day: pinned.day, entries: seen.windowed, write });
  return ok({ day: pinned.day, origin: head.origin, size: head.size, events: seen.windowed.length });
}

/** What is kept of a log that streams by. */
type Seen = { readonly windowed: AuditEntry[]; readonly leafHashes: Uint8Array[]; textBytes: number };

/** All entries in order, and those of the window kept aside. */
async function* leavesOf(
  { pool, store }: ExportLogDeps,
  { requested, pinned, seen }: Omit<ExportLogInput, 'write'> & { seen: Seen },
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < pinned.size; from += entriesAtOnce) {
    const to = Math.min(from + entriesAtOnce, pinned.size);
    const entries = await withOrg(pool, requested.organizationId, (tx) =>
      store.listEntries(tx, pinned.day, { from, to }),
    );
    for (const entry of entries) {
      const leaf = Buffer.from(entry.leaf);
      seen.leafHashes.push(hashLeaf(leaf));
      if (requested.from <= entry.occurredAt && entry.occurredAt < requested.to) {
        seen.windowed.push(entry);
        seen.textBytes += leaf.byteLength + proofBytes;
      }
      yield leaf;
    }
  }
}

function proofLines({ windowed, leafHashes }: Seen): string[] {
  const prove = createInclusionProver(leafHashes);
  return windowed.map(({ index, eventId }) => {
    const proof = prove(index).map((hash) => Buffer.from(hash).toString('base64'));
    return `${canonicalJson({ eventId, index, proof })}\n`;
  });
}

function headOf(pinned: PinnedLog): TreeHead & { readonly origin: string } {
  const key = parseVerifierKey(pinned.verifierKey);
  invariant(key.ok, `the key of the log of ${pinned.day} does not parse`);
  const head = openCheckpoint(Buffer.from(pinned.checkpoint), key.value);
  invariant(head.ok && head.value.size === pinned.size, `the checkpoint of ${pinned.day} is not its own`);
  return head.value;
}
