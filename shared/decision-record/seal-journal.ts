import { setTimeout as pause } from 'node:timers/promises';
import { withOrg } from '../db/index.ts';
import { type Clock, type Random, secondsAfter } from '../kernel/index.ts';
import { type OrganizationId, platformOrganizationId } from '../organization/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { decisionSegmentId } from './decision-buffer.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';
import { createDecisionSegment } from './decision-segment.ts';
import { parseKeyMembers } from './recorded-decision.ts';
import { type SealSegmentDeps, sealSegment } from './seal-segment.ts';

export type SealJournalDeps = SealSegmentDeps & {
  readonly journal: DecisionJournal;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type SealJournalOptions = {
  /**
   * How long a record may wait for its segment. A segment costs an object and an entry of the log whatever it holds:
   * the longer, the more records share that.
   */
  readonly olderThanSeconds?: number;
  /** So many are sealed sooner. */
  readonly recordsMin?: number;
  readonly organizationsMax?: number;
  /** Of one run; what is left is the next one's. */
  readonly timeoutSeconds?: number;
};

/** Of one segment: some megabytes in memory. */
const partsMax = 1_000;
const recordsMax = 5_000;
/** Rest after each organization, as long as its work took: a tick must not be felt by whoever answers beside it. */
const restMax = 100;

/**
 * Makes segments of what the instances journaled, of all of them together. Safe beside another run of itself. Resolves
 * with how many were made; an organization that fails is logged, and is found again.
 */
export async function sealJournal(deps: SealJournalDeps, options: SealJournalOptions = {}): Promise<number> {
  const demand = {
    olderThanSeconds: options.olderThanSeconds ?? 240,
    recordsMin: options.recordsMin ?? 1_000,
    limit: options.organizationsMax ?? 5_000,
  };
  const due = await withOrg(deps.pool, platformOrganizationId, (tx) => deps.journal.listDue(tx, demand));
  const deadline = secondsAfter(deps.clock.now(), options.timeoutSeconds ?? 25);
  const left = [...due].reverse();
  let segments = 0;
  while (left.length > 0 && deps.clock.now() < deadline) {
    const owner = left.pop();
    const began = performance.now();
    if (owner !== undefined) segments += await sealQuietly(deps, owner);
    await pause(Math.min(performance.now() - began, restMax));
  }
  if (left.length > 0) deps.logger.warn({ organizations: left.length }, 'Decisions wait for another run');
  return segments;
}

async function sealQuietly(deps: SealJournalDeps, owner: OrganizationId): Promise<number> {
  try {
    return await sealOrganization(deps, owner);
  } catch (error) {
    deps.logger.error({ error, orgId: owner }, 'Decisions were not sealed');
    return 0;
  }
}

/** All that the organization has in the journal now. */
export async function sealOrganization(deps: SealJournalDeps, owner: OrganizationId): Promise<number> {
  let segments = 0;
  for (;;) {
    const parts = await withOrg(deps.pool, owner, (tx) => deps.journal.list(tx, { limit: partsMax }));
    for (const group of toGroups(parts)) {
      const id = decisionSegmentId.create(deps);
      const text = group.map(({ lines }) => lines).join('');
      const content = await createDecisionSegment({ organizationId: owner, id }, text);
      if ((await sealSegment(deps, content, group)) === 'taken') return segments;
      segments++;
    }
    if (parts.length < partsMax) return segments;
  }
}

/** By policy revision, which a segment's event names, and of a bounded size. */
function toGroups(parts: readonly JournalPart[]): JournalPart[][] {
  const groups: JournalPart[][] = [];
  const open = new Map<string, { group: JournalPart[]; records: number }>();
  for (const part of parts) {
    const revision = revisionOf(part);
    const known = open.get(revision);
    if (known !== undefined && known.records + part.records <= recordsMax) {
      known.group.push(part);
      known.records += part.records;
    } else {
      const group = [part];
      groups.push(group);
      open.set(revision, { group, records: part.records });
    }
  }
  return groups;
}

/** The same in every line of a part. */
function revisionOf({ lines }: JournalPart): string {
  return parseKeyMembers(lines.slice(0, lines.indexOf('\n'))).policy_revision;
}
