import { createHash } from 'node:crypto';
import { type DatabasePool, type OrgTransaction, withOrg } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import { type Clock, fail, ok, type Result, secondsAfter } from '../kernel/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import { type AuditExport, exportPrefixOf, type PinnedLog } from './audit-export.ts';
import type { FinalExportFailure, RunExportFailure } from './audit-export-failure.ts';
import type { AuditExportStore, ExportName } from './audit-export-store.ts';
import type { AuditLogStore } from './audit-log-store.ts';
import { exportGuide } from './export-guide.ts';
import { exportLog } from './export-log.ts';
import { createManifest, type ExportedFiles, type ExportedLog, manifestPath } from './export-manifest.ts';

export type RunExportDeps = {
  readonly pool: DatabasePool;
  readonly exports: AuditExportStore;
  readonly logs: AuditLogStore;
  readonly objects: ObjectStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

export type RunExportOutcome = 'ready' | 'failed' | 'ended_before';

/** An event is in the log seconds after its change. One that is not by then is a fault that waiting does not mend. */
const trailWaitSeconds = 900;

/**
 * Makes a requested export: its files, the manifest last, then the row and its event in one transaction. Run again, or
 * by two at once, it writes the same bytes. Waits for no event: `trail_pending` says that some are still on their way.
 */
export async function runExport(
  deps: RunExportDeps,
  name: ExportName,
): Promise<Result<RunExportOutcome, RunExportFailure>> {
  const begun = await withOrg(deps.pool, name.organizationId, (tx) => begin(deps, tx, name));
  if (!begun.ok) return begun;
  if (begun.value === 'ended_before' || begun.value === 'failed') return ok(begun.value);
  const { requested, pinned } = begun.value;
  const written = await writeFiles(deps, requested, pinned);
  return withOrg(deps.pool, name.organizationId, async (tx) => {
    if (!written.ok) return ok(await failExport(deps, tx, name, written.failure.code));
    return ok(await finish(deps, tx, { requested, events: written.value }));
  });
}

type Begun = { readonly requested: AuditExport; readonly pinned: readonly PinnedLog[] };

async function begin(
  deps: RunExportDeps,
  tx: OrgTransaction,
  name: ExportName,
): Promise<Result<Begun | 'ended_before' | 'failed', RunExportFailure>> {
  const found = await deps.exports.lock(tx, name.id);
  if (found === undefined) return fail({ code: 'audit_export.not_found' });
  const requested = found.export;
  if (requested.status === 'ready' || requested.status === 'failed') return ok('ended_before');
  if (found.pinned !== undefined) return ok({ requested, pinned: found.pinned });
  const missing = await deps.logs.countMissing(tx, requested);
  if (missing > 0) {
    const isOverdue = deps.clock.now() > secondsAfter(requested.requestedAt, trailWaitSeconds);
    if (isOverdue) return ok(await failExport(deps, tx, name, 'audit_export.trail_incomplete'));
    return fail({ code: 'audit_export.trail_pending', missing });
  }
  const pinned = (await deps.logs.listOfWindow(tx, requested)).map(
    ({ day, checkpoint, size, verifierKey }) => ({
      day,
      checkpoint,
      size,
      verifierKey,
    }),
  );
  await deps.exports.start(tx, { id: name.id, objectPrefix: exportPrefixOf(name), pinned });
  return ok({ requested, pinned });
}

/** Resolves with the number of events. */
async function writeFiles(
  deps: RunExportDeps,
  requested: AuditExport,
  pinned: readonly PinnedLog[],
): Promise<Result<number, FinalExportFailure>> {
  const files: ExportedFiles = {};
  const put = (path: string, bytes: Uint8Array, contentType: string) =>
    deps.objects.put(exportPrefixOf(requested) + path, bytes, { contentType });
  const write = async (path: string, bytes: Uint8Array, contentType: string) => {
    files[path] = { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
    await put(path, bytes, contentType);
  };
  const logs: ExportedLog[] = [];
  for (const log of pinned) {
    const exported = await exportLog(
      { pool: deps.pool, store: deps.logs, objects: deps.objects },
      { requested, pinned: log, write },
    );
    if (!exported.ok) return exported;
    logs.push(exported.value);
  }
  await write('VERIFY.md', Buffer.from(exportGuide), 'text/markdown; charset=utf-8');
  const manifest = createManifest(requested, { logs, files });
  await put(manifestPath, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), 'application/json');
  return ok(manifest.events);
}

async function finish(
  deps: RunExportDeps,
  tx: OrgTransaction,
  { requested, events }: { requested: AuditExport; events: number },
): Promise<RunExportOutcome> {
  const isFirst = await deps.exports.finish(tx, { id: requested.id, events, at: deps.clock.now() });
  if (!isFirst) return 'ended_before';
  await deps.events.record(tx, requested.organizationId, {
    type: 'uos.audit-export.completed.v1',
    subject: requested.id,
    actor: { type: 'system', id: 'audit-export' },
    data: { events, objectPrefix: exportPrefixOf(requested) },
  });
  return 'ready';
}

async function failExport(
  deps: RunExportDeps,
  tx: OrgTransaction,
  { id }: ExportName,
  failure: FinalExportFailure['code'],
): Promise<'failed' | 'ended_before'> {
  const isFirst = await deps.exports.fail(tx, { id, failure, at: deps.clock.now() });
  return isFirst ? 'failed' : 'ended_before';
}
