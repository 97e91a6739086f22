/**
 * The audit log: one tamper-evident log an organization and day, its publication, its exports, and their verification
 * by whoever receives them.
 *
 * Invariants: nothing is in a log but events that were committed with their change, and the log's own first and last
 * entry; an event is in the logs once, and for ever; a log never signs two trees of which neither is a prefix of
 * the other; a checkpoint is never published before the files it needs; an export holds every event of its window or
 * is not ready.
 *
 * @example
 * const appender = createEventAppender((organizationId, events) => appendEvents(deps, organizationId, events));
 * const outcome = await appender.append(event);
 */
export { type Appended, type AppendOutcome, appendEvents } from './append-events.ts';
export { type AuditExport, type AuditExportId, auditExportId, exportPrefixOf } from './audit-export.ts';
export type { AuditExportFailure, FinalExportFailure, RunExportFailure } from './audit-export-failure.ts';
export type { AuditExportStore, ExportName } from './audit-export-store.ts';
export type { AuditEntry, AuditLog, LogDay, LogName } from './audit-log.ts';
export type { AuditLogDeps } from './audit-log-deps.ts';
export type { AuditLogStore, EntryRange, EventName, GrownLog } from './audit-log-store.ts';
export type { AuditTrailStore, TrailEvent, TrailPage } from './audit-trail-store.ts';
export { createEventAppender, type EventAppender } from './event-appender.ts';
export type { ExportFinding } from './export-finding.ts';
export type { ExportManifest } from './export-manifest.ts';
export { findExport } from './find-export.ts';
export { listTrail } from './list-trail.ts';
export { createLogPublisher, type LogPublisher, type LogPublisherDeps } from './log-publisher.ts';
export type { PublishLogDeps } from './publish-log.ts';
export { type RequestExportDeps, type RequestExportInput, requestExport } from './request-export.ts';
export { type RunExportDeps, type RunExportOutcome, runExport } from './run-export.ts';
export { type ExportReport, type ManifestFailure, verifyExport } from './verify-export.ts';
export type { LogVerdict } from './verify-exported-log.ts';
