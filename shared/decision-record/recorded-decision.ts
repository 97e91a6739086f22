import { z } from 'zod';
import type { DecisionKey } from './key-filter.ts';

const named = z.object({ type: z.string(), id: z.string() });

/** A line as it is read back. What this version does not know of is left out. */
export const recordedDecisionSchema = z.object({
  time: z.iso.datetime(),
  organization: z.string(),
  request_id: z.string(),
  trace_id: z.string().optional(),
  item: z.int().optional(),
  principal: named.extend({ credential: z.string() }),
  subject: named,
  action: z.string(),
  resource: named,
  attributes: z.record(z.string(), z.unknown()).optional(),
  attributes_left_out: z.int().optional(),
  masked: z.array(z.string()).optional(),
  decision: z.boolean(),
  code: z.string(),
  rule: z.string().optional(),
  binding: z.string().optional(),
  privileged: z.boolean().optional(),
  policy_revision: z.string(),
  data_revision: z.number().optional(),
});

export type RecordedDecision = z.infer<typeof recordedDecisionSchema>;

/** Undefined for what is not a line of ours. */
export function parseLine(line: string): RecordedDecision | undefined {
  try {
    return recordedDecisionSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

export function splitLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** By what a record is found. Who asked and who was asked about are both its principals: each may want to know why. */
export function keysOf(record: RecordedDecision): DecisionKey[] {
  return [
    { kind: 'request', value: record.request_id },
    { kind: 'principal', value: record.principal.id },
    { kind: 'principal', value: record.subject.id },
    { kind: 'resource', value: nameOf(record.resource) },
  ];
}

/** `<type>:<id>` */
export const nameOf = ({ type, id }: { type: string; id: string }): string => `${type}:${id}`;
