import { type DatabasePool, withOrg } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, fail, ok, type Random, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { type AuditExport, auditExportId } from './audit-export.ts';
import type { AuditExportFailure } from './audit-export-failure.ts';
import type { AuditExportStore } from './audit-export-store.ts';

export type RequestExportDeps = {
  readonly pool: DatabasePool;
  readonly store: AuditExportStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
};

export type RequestExportInput = {
  readonly organizationId: OrganizationId;
  readonly actor: Actor;
  readonly from: Date;
  /** Not included. One in the future means now: the window of an export is over before it is made. */
  readonly to: Date;
};

const windowDaysMax = 31;
const dayMs = 86_400_000;

/** Asks for an export; audit-export makes it. The row and the event that asks are one transaction. */
export async function requestExport(
  deps: RequestExportDeps,
  input: RequestExportInput,
): Promise<Result<AuditExport, AuditExportFailure>> {
  const now = deps.clock.now();
  const to = input.to < now ? input.to : now;
  if (input.from >= to) return fail({ code: 'audit_export.window_empty' });
  if (to.getTime() - input.from.getTime() > windowDaysMax * dayMs)
    return fail({ code: 'audit_export.window_too_long', daysMax: windowDaysMax });
  const requested = toRequested(deps, { ...input, to }, now);
  return withOrg(deps.pool, input.organizationId, async (tx) => {
    await deps.store.add(tx, requested);
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.audit-export.requested.v1',
      subject: requested.id,
      actor: input.actor,
      data: { from: requested.from.toISOString(), to: requested.to.toISOString() },
      alsoTopics: ['audit-export.requested'],
    });
    return ok(requested);
  });
}

function toRequested(deps: RequestExportDeps, input: RequestExportInput, now: Date): AuditExport {
  return {
    organizationId: input.organizationId,
    id: auditExportId.create(deps),
    from: input.from,
    to: input.to,
    status: 'requested',
    objectPrefix: undefined,
    events: undefined,
    failure: undefined,
    requestedBy: input.actor.id,
    requestedAt: now,
    finishedAt: undefined,
  };
}
