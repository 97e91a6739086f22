import { type DatabasePool, withOrgSnapshot } from '../db/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { checkSegment, type SegmentDamage } from './check-segment.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';
import type { DecisionSegmentStore, StoredSegment } from './decision-segment-store.ts';
import type { DecisionKey } from './key-filter.ts';
import { keysOf, parseLine, type RecordedDecision, splitLines } from './recorded-decision.ts';

export type FindDecisionsDeps = {
  readonly pool: DatabasePool;
  readonly journal: DecisionJournal;
  readonly segments: DecisionSegmentStore;
  readonly objects: Pick<ObjectStore, 'get'>;
};

export type FindDecisionsInput = {
  readonly organizationId: OrganizationId;
  /** From `from` up to, not including, `to`. */
  readonly from: Date;
  readonly to: Date;
  /** What every record found has. */
  readonly keys: readonly DecisionKey[];
  readonly limit: number;
  readonly after?: DecisionCursor | undefined;
};

/** Where a page ended: at this millisecond, of which so many were shown. */
export type DecisionCursor = { readonly at: Date; readonly shown: number };

/**
 * What speaks for a record. `logged`: its segment's bytes have the digest that the organization's log names.
 * `recorded`: they have the digest that an event names which is on its way into the log. `journaled`: no segment yet.
 */
export type DecisionProof =
  | { readonly status: 'journaled' }
  | ({ readonly status: 'logged' | 'recorded'; readonly sha256: string } & SegmentName);

type SegmentName = {
  readonly segmentId: DecisionSegmentId;
  readonly eventId: string;
  readonly log?: { readonly day: string; readonly index: number };
};

export type FoundDecision = { readonly record: RecordedDecision; readonly proof: DecisionProof };

export type FoundDecisions = {
  readonly decisions: readonly FoundDecision[];
  /** Segments that may hold more of what was asked for, and are not what the log names. */
  readonly damaged: readonly SegmentDamage[];
  readonly next: DecisionCursor | undefined;
};

/** Objects read for one page: a search that finds nothing for long ends its page early and goes on with the next. */
const sourcesMax = 200;
const readsAtOnce = 8;

/** What a page is made from: one part of the journal or one segment. */
type Source =
  | { readonly to: Date; readonly part: JournalPart }
  | { readonly to: Date; readonly segment: StoredSegment };

/**
 * Decisions of one organization, newest first, each with what speaks for it. A record of a segment that is not the
 * one its log names is not shown; the segment is named instead.
 */
export async function findDecisions(
  deps: FindDecisionsDeps,
  input: FindDecisionsInput,
): Promise<FoundDecisions> {
  const { from, keys, limit, after } = input;
  // The last instant of the page before is read again.
  const to = after === undefined ? input.to : new Date(after.at.getTime() + 1);
  const sources = await listSources(deps, { ...input, to });
  const found: FoundDecision[] = [];
  const damaged: SegmentDamage[] = [];
  let rest = sources[sourcesMax]?.to;
  for (let place = 0; place < Math.min(sources.length, sourcesMax); place += readsAtOnce) {
    const read = sources.slice(place, Math.min(place + readsAtOnce, sourcesMax));
    for (const { decisions, damage } of await Promise.all(read.map((source) => readSource(deps, source)))) {
      if (damage !== undefined) damaged.push(damage);
      found.push(...decisions.filter(({ record }) => isWanted(record, { from, to, keys })));
    }
    const nextTo = sources[place + readsAtOnce]?.to;
    if (nextTo === undefined || countNewer(found, nextTo) <= limit + (after?.shown ?? 0)) continue;
    rest = nextTo;
    break;
  }
  return toPage(found, { limit, after, rest, damaged });
}

async function listSources(
  deps: FindDecisionsDeps,
  { organizationId, from, to, keys }: FindDecisionsInput,
): Promise<Source[]> {
  const window = { from, to, keys, limit: sourcesMax + 1 };
  // Of one moment: a part leaves the journal in the transaction that makes its segment visible.
  const { parts, segments } = await withOrgSnapshot(deps.pool, organizationId, async (tx) => ({
    parts: await deps.journal.listOfWindow(tx, window),
    segments: await deps.segments.listOfWindow(tx, window),
  }));
  return [
    ...parts.map((part) => ({ to: part.to, part })),
    ...segments.map((segment) => ({ to: segment.to, segment })),
  ].sort((a, b) => b.to.getTime() - a.to.getTime());
}

async function readSource(
  deps: FindDecisionsDeps,
  source: Source,
): Promise<{ decisions: FoundDecision[]; damage?: SegmentDamage }> {
  if ('part' in source) return { decisions: toDecisions(source.part.lines, { status: 'journaled' }) };
  const { segment } = source;
  const checked = await checkSegment(deps.objects, segment);
  if (!checked.ok) return { decisions: [], damage: checked.failure };
  const { entry } = checked.value;
  const { eventId, log } = entry;
  const proof = {
    status: log === undefined ? ('recorded' as const) : ('logged' as const),
    segmentId: segment.id,
    sha256: segment.sha256,
    eventId,
    ...(log === undefined ? {} : { log }),
  };
  return { decisions: toDecisions(checked.value.text, proof) };
}

function toDecisions(text: string, proof: DecisionProof): FoundDecision[] {
  return splitLines(text).flatMap((line) => {
    const record = parseLine(line);
    return record === undefined ? [] : [{ record, proof }];
  });
}

function isWanted(
  record: RecordedDecision,
  { from, to, keys }: { from: Date; to: Date; keys: readonly DecisionKey[] },
): boolean {
  const time = new Date(record.time);
  if (time < from || time >= to) return false;
  const own = keysOf(record);
  return keys.every(({ kind, value }) => own.some((key) => key.kind === kind && key.value === value));
}

const timeOf = ({ record }: FoundDecision): number => Date.parse(record.time);

function countNewer(found: readonly FoundDecision[], than: Date): number {
  return found.filter((decision) => timeOf(decision) > than.getTime()).length;
}

/** `rest`: the newest instant that was not read to its end; what is newer is complete, and is all that may be shown. */
function toPage(
  found: readonly FoundDecision[],
  page: Pick<FindDecisionsInput, 'limit' | 'after'> & {
    rest: Date | undefined;
    damaged: readonly SegmentDamage[];
  },
): FoundDecisions {
  const { limit, after, rest, damaged } = page;
  const complete = found
    .filter((decision) => rest === undefined || timeOf(decision) > rest.getTime())
    .sort(newestFirst);
  const seenBefore = (decision: FoundDecision) => timeOf(decision) === after?.at.getTime();
  const skipped = after === undefined ? 0 : Math.min(after.shown, complete.filter(seenBefore).length);
  const unseen = complete.slice(skipped);
  const decisions = unseen.slice(0, limit);
  if (unseen.length > limit) return { decisions, damaged, next: cursorAfter(complete, skipped + limit) };
  // Everything of the instant before `rest` was shown; that of `rest` itself has not been.
  const next = rest === undefined ? undefined : { at: rest, shown: 0 };
  return { decisions, damaged, next };
}

/** A total order, so that the same instant reads the same on the next page. */
function newestFirst(a: FoundDecision, b: FoundDecision): number {
  const [ka, kb] = [a, b].map(({ record }) => `${record.request_id}\0${record.item ?? ''}\0${record.code}`);
  return timeOf(b) - timeOf(a) || ((ka ?? '') < (kb ?? '') ? -1 : 1);
}

function cursorAfter(ordered: readonly FoundDecision[], count: number): DecisionCursor | undefined {
  const last = ordered[count - 1];
  if (last === undefined) return undefined;
  const shown = ordered.slice(0, count).filter((decision) => timeOf(decision) === timeOf(last)).length;
  return { at: new Date(last.record.time), shown };
}
