import { type DatabasePool, type OrgTransaction, withOrg } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';
import type { DecisionSegmentContent } from './decision-segment.ts';
import type { DecisionSegmentStore } from './decision-segment-store.ts';

export type SealSegmentDeps = {
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
  readonly journal: Pick<DecisionJournal, 'remove'>;
  readonly segments: Pick<DecisionSegmentStore, 'add'>;
};

/** `taken`: somebody else made a segment of some of the parts meanwhile. */
export type SealOutcome = 'sealed' | 'taken';

/**
 * The object first; then one transaction that removes the parts from the journal, indexes the segment and records its
 * event. So no event is without its object, and of two who seal the same parts one finds them gone. What it wrote
 * then is nobody's, and is deleted; an object whose transaction was never answered stays, since an event may name it.
 */
export async function sealSegment(
  deps: SealSegmentDeps,
  content: DecisionSegmentContent,
  parts: readonly JournalPart[],
): Promise<SealOutcome> {
  const { segment, bytes } = content;
  await deps.objects.put(segment.objectKey, bytes, { contentType: 'application/gzip' });
  try {
    await withOrg(deps.pool, segment.organizationId, async (tx) => {
      if ((await deps.journal.remove(tx, parts)) !== parts.length) throw new PartsTaken();
      await record(deps, tx, content);
    });
  } catch (error) {
    if (!(error instanceof PartsTaken)) throw error;
    await deps.objects.delete(segment.objectKey);
    return 'taken';
  }
  return 'sealed';
}

/** Thrown to roll back: the parts that are still there stay. */
class PartsTaken extends Error {}

async function record(
  deps: SealSegmentDeps,
  tx: OrgTransaction,
  { segment, filter, policyRevision }: DecisionSegmentContent,
): Promise<void> {
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
}
