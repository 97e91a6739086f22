import { canonicalJson } from '../kernel/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { AuditEntry, LogDay } from './audit-log.ts';
import { exportPaths } from './export-manifest.ts';
import { type LoggedSegment, type SegmentPlace, toLoggedSegment } from './exported-segment.ts';
import type { WriteFile } from './write-file.ts';

export type ExportSegmentsInput = {
  readonly organizationId: OrganizationId;
  readonly day: LogDay;
  /** Entries of the window, in the order of the log. */
  readonly entries: readonly AuditEntry[];
  readonly write: WriteFile;
};

/** Segments are small and many: they are joined, since gzip members one after the other are one gzip file. */
const packBytes = 32 * 1024 * 1024;

/**
 * Writes the decision records that the events of the window name, as they are: whether they are what was logged is for
 * the receiver to find. One that is gone keeps its line, without a place.
 */
export async function exportSegments(
  objects: Pick<ObjectStore, 'get'>,
  { organizationId, day, entries, write }: ExportSegmentsInput,
): Promise<void> {
  const segments = entries.flatMap(({ leaf }) => toLoggedSegment(leaf) ?? []);
  if (segments.length === 0) return;
  const lines: SegmentPlace[] = [];
  let pack: { readonly path: string; readonly members: Uint8Array[]; bytes: number } | undefined;
  let packs = 0;
  const finish = async () => {
    if (pack !== undefined) await write(pack.path, Buffer.concat(pack.members), 'application/gzip');
    pack = undefined;
  };
  for (const segment of segments) {
    const bytes = await readSegment(objects, organizationId, segment);
    const name = { eventId: segment.eventId, segmentId: segment.segmentId };
    if (bytes === undefined) {
      lines.push(name);
      continue;
    }
    pack ??= { path: exportPaths(day).segments(packs++), members: [], bytes: 0 };
    lines.push({ ...name, place: { path: pack.path, offset: pack.bytes, bytes: bytes.byteLength } });
    pack.members.push(bytes);
    pack.bytes += bytes.byteLength;
    if (pack.bytes >= packBytes) await finish();
  }
  await finish();
  const index = lines.map((line) => `${canonicalJson(line)}\n`).join('');
  await write(exportPaths(day).segmentIndex, Buffer.from(index), 'application/x-ndjson');
}

async function readSegment(
  objects: Pick<ObjectStore, 'get'>,
  organizationId: OrganizationId,
  { objectKey }: LoggedSegment,
): Promise<Uint8Array | undefined> {
  // An event could name anything: nothing of another organization enters an export.
  return objectKey.startsWith(`decisions/${organizationId}/`) ? objects.get(objectKey) : undefined;
}
