import { createHash } from 'node:crypto';
import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';
import { readSegmentText } from './decision-segment.ts';
import type { SegmentEntry, StoredSegment } from './decision-segment-store.ts';

export type SegmentDamage = {
  readonly code: 'decision_segment.missing' | 'decision_segment.changed' | 'decision_segment.unlogged';
  readonly segmentId: DecisionSegmentId;
};

const eventOfSegment = z.object({
  subject: z.string(),
  data: z.object({ objectKey: z.string(), sha256: z.string() }),
});

/** The segment's text, if its bytes are those that the event in the organization's log names: the index is not believed. */
export async function checkSegment(
  objects: Pick<ObjectStore, 'get'>,
  segment: StoredSegment,
): Promise<Result<{ readonly text: string; readonly entry: SegmentEntry }, SegmentDamage>> {
  const { id: segmentId, entry } = segment;
  const event = entry && eventOfSegment.safeParse(JSON.parse(entry.leaf)).data;
  if (entry === undefined || event?.subject !== segmentId)
    return fail({ code: 'decision_segment.unlogged', segmentId });
  const bytes = await objects.get(event.data.objectKey);
  if (bytes === undefined) return fail({ code: 'decision_segment.missing', segmentId });
  const text =
    createHash('sha256').update(bytes).digest('hex') === event.data.sha256
      ? await readSegmentText(bytes)
      : undefined;
  return text === undefined ? fail({ code: 'decision_segment.changed', segmentId }) : ok({ text, entry });
}
