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
  /** Takes all of them, as parts of the journal: one for each organization and policy revision. */
  drain(): JournalPart[];
};

export function createDecisionBuffer(deps: {
  readonly clock: Clock;
  readonly random: Random;
}): DecisionBuffer {
  let open = new Map<string, LineOwner & { readonly lines: BufferedLine[] }>();
  return {
    add: ({ organizationId, policyRevision }, line) => {
      // An id has no space, so no two owners share a key.
      const key = `${organizationId} ${policyRevision}`;
      const group = open.get(key);
      if (group === undefined) open.set(key, { organizationId, policyRevision, lines: [line] });
      else group.lines.push(line);
    },
    drain: () => {
      const groups = open;
      open = new Map();
      return [...groups.values()].map(({ organizationId, lines }) => toPart(deps, organizationId, lines));
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
