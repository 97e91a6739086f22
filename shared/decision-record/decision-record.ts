import type { OrganizationId } from '../organization/index.ts';

/** One answered question: who asked, about whom, what was answered and why. One line of a segment. */
export type DecisionRecord = {
  readonly time: Date;
  readonly organization: OrganizationId;
  readonly requestId: string;
  /** Who asked, and by which credential (fingerprint or token id, never the secret). */
  readonly principal: { readonly type: string; readonly id: string; readonly credential: string };
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly decision: boolean;
  readonly code: string;
  readonly rule: string | undefined;
  readonly binding: string | undefined;
  readonly policyRevision: string;
};

/** A line of NDJSON, without attributes of subject, resource or context: those may hold what must not be kept. */
export function toLine(record: DecisionRecord): string {
  const { time, organization, requestId, principal, subject, action, resource } = record;
  return `${JSON.stringify({
    time: time.toISOString(),
    organization,
    request_id: requestId,
    principal,
    subject,
    action,
    resource,
    decision: record.decision,
    code: record.code,
    rule: record.rule,
    binding: record.binding,
    policy_revision: record.policyRevision,
  })}\n`;
}
