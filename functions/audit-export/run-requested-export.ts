import { setTimeout as pause } from 'node:timers/promises';
import { auditExportId, type RunExportDeps, runExport } from '../../shared/audit/index.ts';
import { type SealJournalDeps, sealOrganization } from '../../shared/decision-record/index.ts';
import type { EventOutcome, ReceivedCloudEvent } from '../../shared/http/index.ts';
import { organizationId } from '../../shared/organization/index.ts';

export type TrailWait = { readonly attemptsMax: number; readonly pauseMs: number };

export type RunRequestedExportDeps = {
  readonly exporting: RunExportDeps;
  readonly sealing: SealJournalDeps;
};

/**
 * Makes the export that the event asks for. Decisions that wait in the journal are sealed first: whoever exports up to
 * now gets them. The events before it are on the same way into the log as it is here, so
 * a short wait for them saves a delivery's whole backoff.
 */
export async function runRequestedExport(
  deps: RunRequestedExportDeps,
  trailWait: TrailWait,
  event: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const { orgid, subject } = event;
  if (!organizationId.is(orgid) || !auditExportId.is(subject))
    return { outcome: 'malformed', detail: 'It names no export of an organization' };
  await sealOrganization(deps.sealing, orgid);
  for (let attempt = 1; ; attempt++) {
    const run = await runExport(deps.exporting, { organizationId: orgid, id: subject });
    if (run.ok) return { outcome: run.value === 'ended_before' ? 'duplicate' : 'accepted' };
    if (run.failure.code === 'audit_export.not_found')
      return { outcome: 'malformed', detail: 'There is no such export' };
    if (attempt >= trailWait.attemptsMax)
      return {
        outcome: 'transient',
        detail: `${run.failure.missing} events of its window are not in the log yet`,
      };
    await pause(trailWait.pauseMs);
  }
}
