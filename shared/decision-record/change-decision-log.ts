import { type DatabasePool, withOrg } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionLog } from './decision-log.ts';
import type { DecisionLogStore } from './decision-log-store.ts';

export type DecisionLogDeps = {
  readonly pool: DatabasePool;
  readonly store: DecisionLogStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

export type DecisionLogFailure = { readonly code: 'decision_log.organization_not_found' };

export async function findDecisionLog(
  deps: Pick<DecisionLogDeps, 'pool' | 'store'>,
  organizationId: OrganizationId,
): Promise<Result<DecisionLog, DecisionLogFailure>> {
  const log = await withOrg(deps.pool, organizationId, deps.store.find);
  return log === undefined ? notFound : ok(log);
}

/** Sets what is given and leaves the rest. Setting what stands already changes nothing and records nothing. */
export async function changeDecisionLog(
  deps: DecisionLogDeps,
  input: { organizationId: OrganizationId; actor: Actor; change: Partial<DecisionLog> },
): Promise<Result<DecisionLog, DecisionLogFailure>> {
  const { organizationId, actor } = input;
  return withOrg(deps.pool, organizationId, async (tx) => {
    const before = await deps.store.lock(tx);
    if (before === undefined) return notFound;
    const after = { ...before, ...input.change };
    if (isSame(before, after)) return ok(before);
    await deps.store.save(tx, after, deps.clock.now());
    await deps.events.record(tx, organizationId, {
      type: 'uos.decision-log.changed.v1',
      subject: organizationId,
      actor,
      data: { level: after.level, masks: after.masks.map(({ path, mode }) => ({ path, mode })) },
    });
    return ok(after);
  });
}

const notFound = fail({ code: 'decision_log.organization_not_found' });

function isSame(a: DecisionLog, b: DecisionLog): boolean {
  const text = ({ level, masks }: DecisionLog) =>
    JSON.stringify([level, masks.map(({ path, mode }) => [path, mode])]);
  return text(a) === text(b);
}
