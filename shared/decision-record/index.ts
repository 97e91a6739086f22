/**
 * Decision records: what was asked and answered, a stream of its own beside the log of changes. An instance buffers
 * them and writes compressed segments per organization; one event per segment puts its digest into the tamper-evident
 * log, so that a changed or missing decision can be proven at a hundredth of the cost.
 *
 * Invariants: a segment is of one organization; no event without its object; when nothing more can be kept the
 * recorder says so, and its owner decides nothing that would not be recorded.
 *
 * @example
 * const decisions = createDecisionRecorder({ objects, pool, events, clock, random, logger });
 * decisions.record(record);
 */
export { type DecisionRecord, toLine } from './decision-record.ts';
export {
  createDecisionRecorder,
  type DecisionRecorder,
  type DecisionRecorderDeps,
  type DecisionRecorderOptions,
} from './decision-recorder.ts';
export {
  createDecisionSegment,
  type DecisionSegment,
  type DecisionSegmentId,
  decisionSegmentId,
} from './decision-segment.ts';
export { type WriteDecisionSegmentDeps, writeDecisionSegment } from './write-decision-segment.ts';
