import { createHash } from 'node:crypto';
import type { LogReader } from '../tlog/index.ts';
import type { ExportFinding } from './export-finding.ts';
import { type ExportedLog, exportPaths } from './export-manifest.ts';
import {
  type LoggedSegment,
  type SegmentPlace,
  segmentPlaceSchema,
  toLoggedSegment,
} from './exported-segment.ts';
import { parseJson } from './parse-json.ts';
import { readLines } from './read-lines.ts';

const packBytesMax = 256 * 1024 * 1024;
const findingsMax = 20;

/** Every segment of decision records that an exported event names is there, and has the digest that was logged. */
export async function verifyExportedSegments(read: LogReader, log: ExportedLog): Promise<ExportFinding[]> {
  const paths = exportPaths(log.day);
  const events = await readLines(read, paths.events);
  const segments = events.flatMap((line) => toLoggedSegment(line) ?? []);
  if (segments.length === 0) return [];
  const places = new Map<string, SegmentPlace>();
  for (const line of await readLines(read, paths.segmentIndex)) {
    const place = parseJson(segmentPlaceSchema, line);
    if (place !== undefined) places.set(place.eventId, place);
  }
  const readPlace = createPackReader(read);
  const findings: ExportFinding[] = [];
  for (const segment of segments) {
    if (findings.length >= findingsMax) break;
    const place = places.get(segment.eventId)?.place;
    const bytes = place && (await readPlace(place));
    const problem = problemOf(segment, bytes);
    if (problem !== undefined) findings.push({ path: place?.path ?? paths.segmentIndex, problem });
  }
  return findings;
}

function problemOf(
  { segmentId, eventId, sha256 }: LoggedSegment,
  bytes: Uint8Array | undefined,
): string | undefined {
  const name = `the decision segment ${segmentId}, logged by ${eventId},`;
  if (bytes === undefined) return `${name} is missing`;
  const isLogged = createHash('sha256').update(bytes).digest('hex') === sha256;
  return isLogged ? undefined : `${name} is not the one that was logged`;
}

/** Segments stand in the order of the log: one pack is held at a time. */
function createPackReader(read: LogReader) {
  let held: { readonly path: string; readonly bytes: Uint8Array | undefined } | undefined;
  return async ({ path, offset, bytes }: NonNullable<SegmentPlace['place']>) => {
    if (held?.path !== path) held = { path, bytes: await read(path, packBytesMax) };
    const found = held.bytes?.subarray(offset, offset + bytes);
    return found?.byteLength === bytes ? found : undefined;
  };
}
