import { z } from 'zod';
import type { TrailEvent } from '../../shared/audit/index.ts';
import { instantField } from './field.schema.ts';

export const auditEventView = z.strictObject({
  id: z.string(),
  type: z.string(),
  subject: z.string().describe('Id of the thing that changed'),
  actor: z.strictObject({ type: z.string(), id: z.string() }),
  occurredAt: instantField,
  leaf: z.string().describe('The whole event as canonical JSON: the entry of the audit log, byte for byte'),
});

export function toAuditEventView(event: TrailEvent): z.input<typeof auditEventView> {
  return { ...event, occurredAt: event.occurredAt.toISOString() };
}
