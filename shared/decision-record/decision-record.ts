import type { OrganizationId } from '../organization/index.ts';
import { type RequestAttributes, removeAllAttributes } from './mask-attributes.ts';

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

/** Attributes beyond it are left out whole, with their size: a line of a record must not become a store of documents. */
export const attributeCharactersMax = 4_096;

/** A line of NDJSON. `mask` sees every attribute before it is written. */
export function toLine(record: DecisionRecord, mask = removeAllAttributes): string {
  const { principal, subject, resource } = record;
  const line = JSON.stringify({
    time: record.time.toISOString(),
    organization: record.organization,
    request_id: record.requestId,
    trace_id: record.traceId,
    item: record.item,
    principal,
    subject,
    action: record.action,
    resource,
    decision: record.decision,
    code: record.code,
    rule: record.rule,
    binding: record.binding,
    privileged: record.isPrivileged === true ? true : undefined,
    policy_revision: record.policyRevision,
    data_revision: record.dataRevision,
  });
  // The hot path of every decision: attributes are made into text once, and put where the object ends.
  return `${line.slice(0, -1)}${toMembers(record, mask)}}\n`;
}

/** `,"attributes":{...},"masked":[...]`, or less. */
function toMembers({ attributes }: DecisionRecord, mask: typeof removeAllAttributes): string {
  if (attributes === undefined || !hasAny(attributes)) return '';
  const { text, masked } = mask(attributes);
  const names = masked.length === 0 ? '' : `,"masked":${JSON.stringify(masked)}`;
  if (text.length > attributeCharactersMax) return `,"attributes_left_out":${text.length}${names}`;
  return text === '{}' ? names : `,"attributes":${text}${names}`;
}

function hasAny({ subject, action, resource, context }: RequestAttributes): boolean {
  return (subject ?? action ?? resource ?? context) !== undefined;
}
