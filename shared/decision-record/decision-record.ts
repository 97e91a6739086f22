import type { OrganizationId } from '../organization/index.ts';
import { type RequestAttributes, removeAllAttributes } from './mask-attributes.ts';
import { isTextBeyond, recordBounds, shorten } from './record-bounds.ts';

/** One answered question: who asked, about whom, what was answered and why. One line of a segment. */
export type DecisionRecord = {
  readonly time: Date;
  readonly organization: OrganizationId;
  readonly requestId: string;
  /** Of the caller's `traceparent`. */
  readonly traceId?: string | undefined;
  /** Place in a batch, from 0; absent for a single question. */
  readonly item?: number | undefined;
  readonly principal: DecisionPrincipal;
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  /** As they were sent: they pass the organization's masks before anything is written. */
  readonly attributes?: RequestAttributes | undefined;
  readonly decision: boolean;
  readonly code: string;
  readonly rule: string | undefined;
  readonly binding: string | undefined;
  readonly policyRevision: string;
  readonly dataRevision?: number | undefined;
  /** Recorded at every level, and durable before the answer leaves. */
  readonly isPrivileged?: boolean | undefined;
};

/** Who asked, and by which credential (fingerprint or token id, never the secret), issued for what. */
export type DecisionPrincipal = {
  readonly type: string;
  readonly id: string;
  readonly credential: string;
  /** They narrowed the answer when the question was about the principal itself. */
  readonly scopes?: readonly string[] | undefined;
};

/** A line of NDJSON, of 20,000 characters at most. `mask` sees every attribute before it is written. */
export function toLine(record: DecisionRecord, mask = removeAllAttributes): string {
  const whole = JSON.stringify(toNames(record));
  const line = whole.length <= recordBounds.names ? whole : JSON.stringify(toShortNames(record));
  // The hot path of every decision: attributes are made into text once, and put where the object ends.
  return `${line.slice(0, -1)}${toMembers(record, mask)}}\n`;
}

function toNames(record: DecisionRecord) {
  return {
    time: record.time.toISOString(),
    organization: record.organization,
    request_id: record.requestId,
    trace_id: record.traceId,
    item: record.item,
    principal: record.principal,
    subject: record.subject,
    action: record.action,
    resource: record.resource,
    decision: record.decision,
    code: record.code,
    rule: record.rule,
    binding: record.binding,
    privileged: record.isPrivileged === true ? true : undefined,
    policy_revision: record.policyRevision,
    data_revision: record.dataRevision,
  };
}

/** Of what a caller wrote, or a policy that is not ours. Replay must not take such names for the ones that were asked. */
function toShortNames(record: DecisionRecord) {
  const { subject, resource, rule, binding } = record;
  const short = {
    ...record,
    subject: { type: shorten(subject.type), id: shorten(subject.id) },
    action: shorten(record.action),
    resource: { type: shorten(resource.type), id: shorten(resource.id) },
    code: shorten(record.code),
    rule: rule && shorten(rule),
    binding: binding && shorten(binding),
  };
  return { ...toNames(short), shortened: true };
}

/** `,"attributes":{...},"masked":[...]`, or less. */
function toMembers({ attributes }: DecisionRecord, mask: typeof removeAllAttributes): string {
  if (attributes === undefined || !hasAny(attributes)) return '';
  if (isTextBeyond(attributes, recordBounds.attributesRead))
    return `,"attributes_left_out":${recordBounds.attributesRead}`;
  const { text, masked } = mask(attributes);
  const names = toMasked(masked);
  if (text.length > recordBounds.attributes) return `,"attributes_left_out":${text.length}${names}`;
  return text === '{}' ? names : `,"attributes":${text}${names}`;
}

function toMasked(masked: readonly string[]): string {
  if (masked.length === 0) return '';
  const paths = JSON.stringify(masked);
  return paths.length > recordBounds.masked ? `,"masked_left_out":${masked.length}` : `,"masked":${paths}`;
}

function hasAny({ subject, action, resource, context }: RequestAttributes): boolean {
  return (subject ?? action ?? resource ?? context) !== undefined;
}
