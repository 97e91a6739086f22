import { type DatabasePool, withOrg } from '../db/index.ts';
import type { PushHint } from '../declarative/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { GitSourceId } from '../git-source/index.ts';
import type { Clock } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { SourceStatusStore } from './source-status-store.ts';

export type AcceptPushDeps = {
  readonly pool: DatabasePool;
  readonly statuses: Pick<SourceStatusStore, 'acceptDelivery'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

/**
 * Asks for the source to be looked at, once per delivery: a signature covers no time, so a copy of an old request is
 * as well signed as the first. The hint goes no further than the trail; what is applied is asked of the Git server.
 */
export async function acceptPush(
  deps: AcceptPushDeps,
  input: { sourceId: GitSourceId; deliveryId: string; hint: PushHint },
): Promise<'accepted' | 'duplicate'> {
  const { sourceId, deliveryId, hint } = input;
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    const at = deps.clock.now();
    if (!(await deps.statuses.acceptDelivery(tx, { sourceId, deliveryId, at }))) return 'duplicate';
    await deps.events.record(tx, platformOrganizationId, {
      type: 'uos.git-source.push-received.v1',
      subject: sourceId,
      actor: { type: 'git_source', id: sourceId },
      data: { ref: hint.ref, deliveryId, commit: hint.after },
      alsoTopics: ['reconcile.requested'],
    });
    return 'accepted';
  });
}
