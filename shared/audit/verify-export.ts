import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { LogReader } from '../tlog/index.ts';
import type { ExportFinding } from './export-finding.ts';
import { type ExportManifest, exportManifestSchema, manifestPath } from './export-manifest.ts';
import { parseJson } from './parse-json.ts';
import { type LogVerdict, verifyExportedLog } from './verify-exported-log.ts';
import { verifyExportedSegments } from './verify-exported-segments.ts';

export type ExportReport = {
  readonly manifest: ExportManifest;
  readonly logs: readonly LogVerdict[];
  /** Empty when the export holds. The entries that are damaged come first. */
  readonly findings: readonly ExportFinding[];
};

export type ManifestFailure = { readonly code: 'export_manifest.malformed'; readonly reason: string };

const manifestBytesMax = 64 * 1024 * 1024;
const fileBytesMax = 256 * 1024 * 1024;

/**
 * Checks an export against itself and against its logs: every file's digest, every log's entries, tiles, root and
 * signature, every exported event's place in its log, that no event of the window was left out, and that every segment
 * of decision records is the one that was logged. `trustedKey` is a
 * verifier key that did not come with the export; without it the signatures prove only that one key made them all.
 * Hostile files give findings and never throw; only the reader may.
 */
export async function verifyExport(input: {
  readonly read: LogReader;
  readonly trustedKey?: string;
}): Promise<Result<ExportReport, ManifestFailure>> {
  const manifest = await readManifest(input.read);
  if (!manifest.ok) return manifest;
  const logs: LogVerdict[] = [];
  for (const log of manifest.value.logs) {
    logs.push(await verifyExportedLog({ ...input, log, manifest: manifest.value }));
  }
  const ofSegments: ExportFinding[] = [];
  for (const log of manifest.value.logs) ofSegments.push(...(await verifyExportedSegments(input.read, log)));
  const findings = [
    ...logs.flatMap((log) => log.findings),
    ...ofSegments,
    ...(await checkFiles(input.read, manifest.value)),
  ];
  return ok({ manifest: manifest.value, logs, findings });
}

async function readManifest(read: LogReader): Promise<Result<ExportManifest, ManifestFailure>> {
  const bytes = await read(manifestPath, manifestBytesMax);
  if (bytes === undefined) return malformed('there is none, so the export is not complete');
  const parsed = parseJson(exportManifestSchema, bytes);
  return parsed === undefined ? malformed('it is not the manifest of an export') : ok(parsed);
}

async function checkFiles(read: LogReader, manifest: ExportManifest): Promise<ExportFinding[]> {
  const findings: ExportFinding[] = [];
  for (const [path, { sha256, bytes }] of Object.entries(manifest.files)) {
    const content = await read(path, Math.min(bytes, fileBytesMax));
    if (content === undefined) findings.push({ path, problem: 'the file is missing' });
    else if (createHash('sha256').update(content).digest('hex') !== sha256)
      findings.push({ path, problem: 'the file is not the one that was exported' });
  }
  return findings;
}

function malformed(reason: string) {
  return fail({ code: 'export_manifest.malformed', reason });
}
