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
  principal: named.extend({ credential: z.string(), scopes: z.array(z.string()).optional() }),
  subject: named,
  action: z.string(),
  resource: named,
  attributes: z.record(z.string(), z.unknown()).optional(),
  attributes_left_out: z.int().optional(),
  masked: z.array(z.string()).optional(),
  /** How many paths were masked, where naming them would have taken too much. */
  masked_left_out: z.int().optional(),
  /** Long names of the question are cut, and end in a digest. */
  shortened: z.boolean().optional(),
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

/** The members by which a record is found. */
const keyMembersSchema = recordedDecisionSchema
  .pick({ time: true, organization: true, request_id: true, policy_revision: true })
  .extend({
    principal: z.object({ id: z.string() }),
    subject: z.object({ id: z.string() }),
    resource: named,
  });

export type KeyMembers = z.infer<typeof keyMembersSchema>;

/** Of a line that we wrote: throws for any other. A tenth of the time of reading it whole. */
export function parseKeyMembers(line: string): KeyMembers {
  return keyMembersSchema.parse(JSON.parse(line));
}

/** By what a record is found. Who asked and who was asked about are both its principals: each may want to know why. */
export function keysOf(record: KeyMembers): DecisionKey[] {
  return [
    { kind: 'request', value: record.request_id },
    { kind: 'principal', value: record.principal.id },
    { kind: 'principal', value: record.subject.id },
    { kind: 'resource', value: nameOf(record.resource) },
  ];
}

/** `<type>:<id>` */
const nameOf = ({ type, id }: { type: string; id: string }): string => `${type}:${id}`;
