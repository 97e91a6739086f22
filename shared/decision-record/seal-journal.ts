import { withOrg } from '../db/index.ts';
import { type Clock, type Random, startWorkSlice } from '../kernel/index.ts';
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

/** Of what is read at once, whatever waits. */
const pageBounds = { limit: 1_000, bytesMax: 16 * 1024 * 1024 };
/** Of one segment: some megabytes in memory. */
const recordsMax = 5_000;
const charactersMax = 8 * 1024 * 1024;
/** Pages in a row that others had taken from: whoever seals beside us ends before that. */
const takenMax = 20;

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
  const slice = startWorkSlice(deps.clock, options.timeoutSeconds ?? 25);
  const waiting = due.map((owner) => ({ owner, taken: 0 }));
  let segments = 0;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (slice.isOver()) {
      deps.logger.warn({ organizations: waiting.length + 1 }, 'Decisions wait for another run');
      break;
    }
    const { owner } = next;
    const sealed = await slice.step(() => sealQuietly(deps, owner));
    segments += sealed.segments;
    const taken = sealed.rest === 'taken' ? next.taken + 1 : 0;
    // Behind the others: of one that has much, they need not wait for all.
    if (sealed.rest !== 'none' && taken < takenMax) waiting.push({ owner, taken });
  }
  return segments;
}

async function sealQuietly(deps: SealJournalDeps, owner: OrganizationId): Promise<SealedPage> {
  try {
    return await sealPage(deps, owner);
  } catch (error) {
    deps.logger.error({ error, orgId: owner }, 'Decisions were not sealed');
    return { segments: 0, rest: 'none' };
  }
}

/**
 * All that the organization had in the journal when this was called, by us or by whoever seals beside us: when it
 * resolves, a segment of each record is committed. Throws when others kept taking from under it.
 */
export async function sealOrganization(deps: SealJournalDeps, owner: OrganizationId): Promise<number> {
  let segments = 0;
  for (let taken = 0; taken < takenMax; ) {
    const sealed = await sealPage(deps, owner);
    segments += sealed.segments;
    if (sealed.rest === 'none') return segments;
    taken = sealed.rest === 'taken' ? taken + 1 : 0;
  }
  throw new Error('Others kept sealing the decisions of the organization');
}

/** `rest`: whether there is more to list, or what was listed must be listed again since others took some of it. */
type SealedPage = { readonly segments: number; readonly rest: 'none' | 'more' | 'taken' };

async function sealPage(deps: SealJournalDeps, owner: OrganizationId): Promise<SealedPage> {
  const { parts, hasMore } = await withOrg(deps.pool, owner, (tx) => deps.journal.list(tx, pageBounds));
  let segments = 0;
  for (const group of toGroups(parts)) {
    const id = decisionSegmentId.create(deps);
    const text = group.map(({ lines }) => lines).join('');
    const content = await createDecisionSegment({ organizationId: owner, id }, text);
    if ((await sealSegment(deps, content, group)) === 'taken') return { segments, rest: 'taken' };
    segments++;
  }
  return { segments, rest: hasMore ? 'more' : 'none' };
}

type Group = { readonly parts: JournalPart[]; records: number; characters: number };

/** By policy revision, which a segment's event names, and of a bounded size. */
function toGroups(parts: readonly JournalPart[]): JournalPart[][] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const part of parts) {
    const revision = revisionOf(part);
    const known = open.get(revision);
    const group =
      known !== undefined && hasRoom(known, part) ? known : { parts: [], records: 0, characters: 0 };
    if (group !== known) {
      groups.push(group);
      open.set(revision, group);
    }
    group.parts.push(part);
    group.records += part.records;
    group.characters += part.lines.length;
  }
  return groups.map((group) => group.parts);
}

function hasRoom(group: Group, { records, lines }: JournalPart): boolean {
  return group.records + records <= recordsMax && group.characters + lines.length <= charactersMax;
}

/** The same in every line of a part. */
function revisionOf({ lines }: JournalPart): string {
  return parseKeyMembers(lines.slice(0, lines.indexOf('\n'))).policy_revision;
}
