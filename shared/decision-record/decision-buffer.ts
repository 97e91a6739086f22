import { type Clock, type Random, type TypeId, typeId } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { JournalPart } from './decision-journal.ts';

export const decisionSegmentId = typeId('seg');
export type DecisionSegmentId = TypeId<'seg'>;

export type LineOwner = { readonly organizationId: OrganizationId; readonly policyRevision: string };
export type BufferedLine = { readonly time: Date; readonly text: string };

/** Lines that are not in the journal yet: what a crash would lose. */
export type DecisionBuffer = {
  add(owner: LineOwner, line: BufferedLine): void;
  /** Takes all of them, as parts of the journal, each of one organization and policy revision and of a bounded size. */
  drain(): JournalPart[];
};

type Group = LineOwner & { readonly lines: BufferedLine[]; characters: number };

/** Of one part: what reads or writes a few of them at a time then holds some megabytes, whatever was asked. */
const partCharactersMax = 256 * 1024;

export function createDecisionBuffer(deps: {
  readonly clock: Clock;
  readonly random: Random;
}): DecisionBuffer {
  let groups: Group[] = [];
  /** The group of each owner that has room. */
  let open = new Map<string, Group>();
  function groupFor(owner: LineOwner, characters: number): Group {
    // An id has no space, so no two owners share a key.
    const key = `${owner.organizationId} ${owner.policyRevision}`;
    const known = open.get(key);
    if (known !== undefined && known.characters + characters <= partCharactersMax) return known;
    const group = { ...owner, lines: [], characters: 0 };
    groups.push(group);
    open.set(key, group);
    return group;
  }
  return {
    add: (owner, line) => {
      const group = groupFor(owner, line.text.length);
      group.lines.push(line);
      group.characters += line.text.length;
    },
    drain: () => {
      // Let go of only once they are parts: what throws here must not lose the lines of everybody.
      const parts = groups.map(({ organizationId, lines }) => toPart(deps, organizationId, lines));
      groups = [];
      open = new Map();
      return parts;
    },
  };
}

function toPart(
  deps: { readonly clock: Clock; readonly random: Random },
  organizationId: OrganizationId,
  lines: readonly BufferedLine[],
): JournalPart {
  const times = lines.map(({ time }) => time.getTime());
  return {
    organizationId,
    id: decisionSegmentId.create(deps),
    place: 0,
    records: lines.length,
    from: new Date(times.reduce((a, b) => Math.min(a, b))),
    to: new Date(times.reduce((a, b) => Math.max(a, b))),
    lines: lines.map(({ text }) => text).join(''),
  };
}
