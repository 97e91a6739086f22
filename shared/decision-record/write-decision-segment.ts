import { type DatabasePool, withOrg } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { DecisionSegment } from './decision-segment.ts';

export type WriteDecisionSegmentDeps = {
  readonly objects: Pick<ObjectStore, 'put'>;
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
};

/**
 * The object first, then the event that names its digest: what the log proves exists. Repeating it after a failure
 * writes the same object; the event may then stand twice, with one digest.
 */
export async function writeDecisionSegment(
  deps: WriteDecisionSegmentDeps,
  segment: DecisionSegment,
): Promise<void> {
  const { objectKey, sha256, count, policyRevision } = segment;
  await deps.objects.put(objectKey, segment.bytes, { contentType: 'application/gzip' });
  await withOrg(deps.pool, segment.organizationId, (tx) =>
    deps.events.record(tx, segment.organizationId, {
      type: 'uos.decision-segment.written.v1',
      subject: segment.id,
      actor: { type: 'system', id: 'uos/authorize' },
      data: {
        objectKey,
        sha256,
        count,
        from: segment.from.toISOString(),
        to: segment.to.toISOString(),
        policyRevision,
      },
    }),
  );
}
