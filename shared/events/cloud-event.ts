import { z } from 'zod';
import { canonicalJson, fail, type JsonObject, ok, type Result } from '../kernel/index.ts';

/** 60 KiB: an entry of a tlog-tiles bundle is at most 65,535 bytes (C2SP tlog-tiles). */
export const leafBytesMax = 61_440;

/** CloudEvents 1.0, structured JSON mode, with our two extension attributes `orgid` and `partitionkey`. */
export const cloudEventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  type: z.string().min(1).max(128),
  subject: z.string().min(1).max(256).optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json').optional(),
  orgid: z.string().regex(/^org_[0-7][0-9a-hjkmnp-tv-z]{25}$/),
  partitionkey: z.string().min(1).max(128),
  data: z.record(z.string(), z.json()),
});

export type CloudEvent = z.infer<typeof cloudEventSchema>;
export type CloudEventFailure = { readonly code: 'cloud_event.malformed'; readonly reason: string };

/** The exact text that is stored, sent, hashed into the log and exported: RFC 8785 canonical JSON, no line end. */
export function toLeaf(event: CloudEvent): string {
  return canonicalJson(event as JsonObject);
}

/** Reads a leaf back. Refuses what is not canonical: those bytes could not have come from `toLeaf`. */
export function parseLeaf(leaf: string): Result<CloudEvent, CloudEventFailure> {
  if (Buffer.byteLength(leaf) > leafBytesMax) return malformed(`it is longer than ${leafBytesMax} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(leaf);
  } catch {
    return malformed('it is not JSON');
  }
  const event = cloudEventSchema.loose().safeParse(value);
  if (!event.success) return malformed(z.prettifyError(event.error));
  if (canonicalJson(event.data as JsonObject) !== leaf)
    return malformed('it is not canonical JSON (RFC 8785)');
  return ok(event.data);
}

function malformed(reason: string): Result<never, CloudEventFailure> {
  return fail({ code: 'cloud_event.malformed', reason });
}
