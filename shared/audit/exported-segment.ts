import { z } from 'zod';
import type { AuditEntry } from './audit-log.ts';
import { parseJson } from './parse-json.ts';

/** What an event of the log says of a segment of decision records. */
export type LoggedSegment = {
  readonly eventId: string;
  readonly segmentId: string;
  readonly objectKey: string;
  readonly sha256: string;
};

const segmentEvent = z.object({
  id: z.string(),
  type: z.literal('uos.decision-segment.written.v1'),
  subject: z.string(),
  data: z.object({ objectKey: z.string(), sha256: z.string() }),
});

/** A line of `decisions/<day>.ndjson`: where in the export a segment is; without a place it was gone. */
export const segmentPlaceSchema = z.strictObject({
  eventId: z.string(),
  segmentId: z.string(),
  place: z
    .strictObject({
      path: z.string().regex(/^decisions\/[0-9-]{10}-\d{4,8}\.ndjson\.gz$/),
      offset: z.int().min(0),
      bytes: z.int().min(0),
    })
    .optional(),
});

export type SegmentPlace = z.infer<typeof segmentPlaceSchema>;

/** Undefined for an event of another kind. */
export function toLoggedSegment(leaf: AuditEntry['leaf'] | Uint8Array): LoggedSegment | undefined {
  const event = parseJson(segmentEvent, typeof leaf === 'string' ? Buffer.from(leaf) : leaf);
  return event && { eventId: event.id, segmentId: event.subject, ...event.data };
}
