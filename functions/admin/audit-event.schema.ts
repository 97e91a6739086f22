import { z } from 'zod';
import type { TrailEvent } from '../../shared/audit/index.ts';
import type { OpenedMember } from '../../shared/personal-data/index.ts';
import { instantField } from './field.schema.ts';

const place = {
  path: z.string().describe('Of the sealed member in the data of the leaf, as in personal.email.after'),
  subject: z.string().describe('Whom it is about'),
};

const openedMemberView = z.discriminatedUnion('status', [
  z.strictObject({ ...place, status: z.literal('readable'), value: z.string() }),
  z.strictObject({ ...place, status: z.literal('erased'), erasedAt: instantField }),
  z.strictObject({ ...place, status: z.literal('unreadable') }),
]);

export const auditEventView = z.strictObject({
  id: z.string(),
  type: z.string(),
  subject: z.string().describe('Id of the thing that changed'),
  actor: z.strictObject({ type: z.string(), id: z.string() }),
  occurredAt: instantField,
  leaf: z.string().describe('The whole event as canonical JSON: the entry of the audit log, byte for byte'),
  personalData: z.array(openedMemberView).optional().describe('When asked for: what is sealed in the leaf'),
});

export function toAuditEventView(
  event: TrailEvent,
  opened: readonly OpenedMember[] | undefined,
): z.input<typeof auditEventView> {
  const view = { ...event, occurredAt: event.occurredAt.toISOString() };
  return opened === undefined ? view : { ...view, personalData: opened.map(toOpenedMemberView) };
}

function toOpenedMemberView(member: OpenedMember): z.input<typeof openedMemberView> {
  return member.status === 'erased' ? { ...member, erasedAt: member.erasedAt.toISOString() } : member;
}
