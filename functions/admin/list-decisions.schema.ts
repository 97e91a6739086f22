import { z } from 'zod';
import {
  type DecisionCursor,
  decisionSegmentId,
  type FoundDecision,
  recordedDecisionSchema,
} from '../../shared/decision-record/index.ts';
import { idField, instantField } from './field.schema.ts';

const cursorPattern = /^\d{1,15}\.\d{1,6}$/;
const printable = (lengthMax: number) =>
  z.string().regex(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${lengthMax}}$`, 'u'), 'must be printable text');

export const listDecisionsQuery = {
  requestId: printable(256).optional().describe('The X-Request-ID of the question, as its answer repeats it'),
  principal: printable(1024).optional().describe('Id of who asked, or of whom was asked about'),
  resource: printable(1281).optional().describe('<type>:<id> of the resource, as in document:42'),
  from: instantField.optional().describe('The day before `to` when absent; at most 7 days before it'),
  to: instantField.optional().describe('Not included; now when absent'),
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('Items of a page, at most'),
  cursor: z
    .string()
    .regex(cursorPattern, 'must be a nextCursor')
    .optional()
    .describe('The nextCursor of the page before'),
};

const proofView = z.strictObject({
  status: z
    .enum(['logged', 'recorded', 'journaled'])
    .describe(
      'logged: the segment was read and has the digest that the audit log names; recorded: it has the digest of an event on its way into the log; journaled: not in a segment yet',
    ),
  segmentId: idField(decisionSegmentId, 'Id of the segment').optional(),
  sha256: z.string().optional(),
  eventId: z.string().optional().describe('The event that names the segment'),
  log: z.strictObject({ day: z.string(), index: z.int() }).optional().describe('Where the log has it'),
});

const decisionView = z.strictObject({ ...recordedDecisionSchema.shape, proof: proofView });

export const decisionsView = z.strictObject({
  items: z.array(decisionView),
  damaged: z
    .array(z.strictObject({ code: z.string(), segmentId: z.string() }))
    .describe('Segments that are not what the log names: what they hold is not shown'),
  nextCursor: z
    .string()
    .optional()
    .describe('Absent on the last page; a page may be short, or empty, before it'),
});

export function toDecisionView({ record, proof }: FoundDecision): z.input<typeof decisionView> {
  return { ...record, proof };
}

export const formatCursor = ({ at, shown }: DecisionCursor): string => `${at.getTime()}.${shown}`;

export function parseCursor(cursor: string | undefined): DecisionCursor | undefined {
  const [at, shown] = (cursor ?? '').split('.');
  return shown === undefined ? undefined : { at: new Date(Number(at)), shown: Number(shown) };
}
