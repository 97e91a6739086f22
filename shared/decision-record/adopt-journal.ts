import { withOrg } from '../db/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { decisionSegmentId } from './decision-buffer.ts';
import type { JournaledSegment } from './decision-journal.ts';
import { createDecisionSegment, segmentKeyOf } from './decision-segment.ts';
import { type SealSegmentDeps, sealSegment } from './seal-segment.ts';

export type AdoptJournalDeps = SealSegmentDeps & {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type AdoptJournalOptions = {
  /** Well beyond what a living instance needs, which would only do its work twice. */
  readonly olderThanSeconds?: number;
  readonly segmentsMax?: number;
};

/**
 * Makes the segments that killed instances did not: what they had journaled is sealed under a new id, and the object
 * they may have put before they died, which no event names, is deleted. Safe beside the instance itself, should it
 * live. Resolves with how many were made; one that fails is logged, and is found again.
 */
export async function adoptJournal(
  deps: AdoptJournalDeps,
  options: AdoptJournalOptions = {},
): Promise<number> {
  const page = { olderThanSeconds: options.olderThanSeconds ?? 120, limit: options.segmentsMax ?? 200 };
  const left = await withOrg(deps.pool, platformOrganizationId, (tx) =>
    deps.journal.listLeftBehind(tx, page),
  );
  let adopted = 0;
  for (const segment of left) {
    try {
      if (await adopt(deps, segment)) adopted++;
    } catch (error) {
      deps.logger.error({ error, orgId: segment.organizationId }, 'Decisions left behind were not adopted');
    }
  }
  if (adopted > 0) deps.logger.info({ segments: adopted }, 'Decisions left behind were adopted');
  return adopted;
}

async function adopt(deps: AdoptJournalDeps, left: JournaledSegment): Promise<boolean> {
  const { organizationId, segmentId } = left;
  const parts = await withOrg(deps.pool, organizationId, (tx) => deps.journal.list(tx, segmentId));
  if (parts.length === 0) return false;
  const id = decisionSegmentId.create(deps);
  const content = await createDecisionSegment(
    { organizationId, id },
    parts.map(({ lines }) => lines).join(''),
  );
  const outcome = await sealSegment(deps, content, { segmentId, parts: parts.length });
  if (outcome === 'taken') return false;
  await deps.objects.delete(segmentKeyOf({ organizationId, id: segmentId, from: content.segment.from }));
  return true;
}
