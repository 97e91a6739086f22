import { z } from 'zod';
import type { AuditExport } from './audit-export.ts';

/** Segments that do not begin with a dot: nothing a hostile manifest names can leave the export. */
const path = z.string().regex(/^(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*[A-Za-z0-9_][A-Za-z0-9._-]*$/);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

/** What an export holds. It names no instant but the request's own, so that every run writes the same bytes. */
export const exportManifestSchema = z.object({
  format: z.literal('uos-audit-export-1'),
  exportId: z.string(),
  organizationId: z.string(),
  /** From `from` up to, not including, `to`. */
  window: z.object({ from: z.iso.datetime(), to: z.iso.datetime() }),
  requestedAt: z.iso.datetime(),
  events: z.int().min(0),
  logs: z
    .array(z.object({ day, origin: z.string(), size: z.int().min(1), events: z.int().min(0) }))
    .max(10_000),
  files: z.record(path, z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

export type ExportManifest = z.infer<typeof exportManifestSchema>;
export type ExportedFiles = ExportManifest['files'];
export type ExportedLog = ExportManifest['logs'][number];

export const manifestPath = 'MANIFEST.json';

/** Paths of the files beside a log's own, which are below `log/<day>/`. */
export const exportPaths = (day: string) => ({
  log: `log/${day}/`,
  verifierKey: `vkeys/${day}.vkey`,
  events: `events/${day}.ndjson`,
  proofs: `proofs/${day}.ndjson`,
  segmentIndex: `decisions/${day}.ndjson`,
  segments: (pack: number) => `decisions/${day}-${String(pack).padStart(4, '0')}.ndjson.gz`,
});

export function createManifest(
  requested: AuditExport,
  content: { logs: readonly ExportedLog[]; files: ExportedFiles },
): ExportManifest {
  return {
    format: 'uos-audit-export-1',
    exportId: requested.id,
    organizationId: requested.organizationId,
    window: { from: requested.from.toISOString(), to: requested.to.toISOString() },
    requestedAt: requested.requestedAt.toISOString(),
    events: content.logs.reduce((sum, log) => sum + log.events, 0),
    logs: [...content.logs],
    files: Object.fromEntries(Object.entries(content.files).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
