/**
 * Decision records: what was asked and answered, a stream of its own beside the log of changes. Instances journal
 * them ten times a second; a tick makes compressed segments of the journal, each of one organization; one event a segment
 * puts its digest into the tamper-evident log, so that a changed or missing decision can be proven at a hundredth of
 * the cost.
 *
 * Invariants: an organization's level and masks are applied before anything is written anywhere; a segment is of one
 * organization; no event without its object, and every journaled record is in exactly one segment an event names;
 * when nothing more can be kept the recorder says so, and its owner decides nothing that would not be recorded.
 *
 * @example
 * const decisions = createDecisionRecorder({ logs, journal, stream, ...ambient });
 * await decisions.record(record);
 * await sealJournal({ pool, journal, segments, objects, events, ...ambient });
 */

export {
  changeDecisionLog,
  type DecisionLogDeps,
  type DecisionLogFailure,
  findDecisionLog,
} from './change-decision-log.ts';
export type { SegmentDamage } from './check-segment.ts';
export { type DecisionSegmentId, decisionSegmentId } from './decision-buffer.ts';
export type { DecisionJournal, JournalPart } from './decision-journal.ts';
export { type DecisionLog, type DecisionLogLevel, decisionLogLevels } from './decision-log.ts';
export type { DecisionLogStore } from './decision-log-store.ts';
export { type DecisionRecord, toLine } from './decision-record.ts';
export {
  createDecisionRecorder,
  type DecisionRecorder,
  type DecisionRecorderDeps,
  type DecisionRecorderOptions,
} from './decision-recorder.ts';
export type { DecisionSegment } from './decision-segment.ts';
export type { DecisionSegmentStore } from './decision-segment-store.ts';
export {
  createDecisionStream,
  type DecisionStream,
  noDecisionStream,
  openDecisionStream,
} from './decision-stream.ts';
export {
  type DecisionCursor,
  type DecisionProof,
  type FindDecisionsDeps,
  type FoundDecision,
  type FoundDecisions,
  findDecisions,
} from './find-decisions.ts';
export type { DecisionKey } from './key-filter.ts';
export {
  type CachedDecisionLogDeps,
  cacheDecisionLogs,
  type DecisionLogSource,
  type KnownDecisionLog,
} from './known-decision-log.ts';
export { type AttributeMask, maskPathPattern, masksMax } from './mask-attributes.ts';
export { type RecordedDecision, recordedDecisionSchema } from './recorded-decision.ts';
export {
  type SealJournalDeps,
  type SealJournalOptions,
  sealJournal,
  sealOrganization,
} from './seal-journal.ts';
