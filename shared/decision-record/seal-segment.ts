import { type DatabasePool, type OrgTransaction, withOrg } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';
import type { DecisionJournal } from './decision-journal.ts';
import type { DecisionSegmentContent } from './decision-segment.ts';
import type { DecisionSegmentStore } from './decision-segment-store.ts';

export type SealSegmentDeps = {
  readonly objects: Pick<ObjectStore, 'put' | 'get' | 'delete'>;
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
  readonly journal: DecisionJournal;
  readonly segments: DecisionSegmentStore;
};

/** `sealed` also when an earlier attempt did it; `taken`: the journal's parts became another segment. */
export type SealOutcome = 'sealed' | 'taken';

/**
 * The object first; then one transaction that removes the parts from the journal, indexes the segment and records its
 * event. So no event is without its object, and of two who seal the same parts one finds them gone. What it wrote
 * then is nobody's, and is deleted.
 */
export async function sealSegment(
  deps: SealSegmentDeps,
  content: DecisionSegmentContent,
  journaled: { readonly segmentId: DecisionSegmentId; readonly parts: number },
): Promise<SealOutcome> {
  const { segment, bytes } = content;
  await deps.objects.put(segment.objectKey, bytes, { contentType: 'application/gzip' });
  const outcome = await withOrg(deps.pool, segment.organizationId, async (tx) => {
    const removed = await deps.journal.remove(tx, journaled.segmentId);
    if (removed === journaled.parts) return record(deps, tx, content);
    // An attempt whose commit was never answered may have been the one.
    if (removed === 0) return (await deps.segments.has(tx, segment.id)) ? 'sealed' : 'taken';
    throw new Error(`The journal holds ${removed} parts of a segment, not ${journaled.parts}`);
  });
  if (outcome === 'taken') await deps.objects.delete(segment.objectKey);
  return outcome;
}

async function record(
  deps: SealSegmentDeps,
  tx: OrgTransaction,
  { segment, filter, policyRevision }: DecisionSegmentContent,
): Promise<SealOutcome> {
  const eventId = await deps.events.record(tx, segment.organizationId, {
    type: 'uos.decision-segment.written.v1',
    subject: segment.id,
    actor: { type: 'system', id: 'uos/authorize' },
    data: {
      objectKey: segment.objectKey,
      sha256: segment.sha256,
      count: segment.count,
      from: segment.from.toISOString(),
      to: segment.to.toISOString(),
      policyRevision,
    },
  });
  await deps.segments.add(tx, { ...segment, filter, eventId });
  return 'sealed';
}
