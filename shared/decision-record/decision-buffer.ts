import { type Clock, type Random, type TypeId, typeId } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';

export const decisionSegmentId = typeId('seg');
export type DecisionSegmentId = TypeId<'seg'>;

export type BufferedLine = { readonly time: Date; readonly text: string };

/** Lines of one organization and one policy revision, on their way into one segment. */
export type DecisionGroup = {
  readonly organizationId: OrganizationId;
  readonly policyRevision: string;
  readonly segmentId: DecisionSegmentId;
  readonly startedAt: Date;
  /** Parts that the journal holds. */
  parts: number;
  readonly journaled: BufferedLine[];
  /** Not in the journal yet: what a crash would lose. */
  waiting: BufferedLine[];
};

/** Groups that still take lines, the longest waiting first, and those that were taken to become segments. */
export type DecisionBuffer = {
  add(owner: Pick<DecisionGroup, 'organizationId' | 'policyRevision'>, line: BufferedLine): void;
  /** Every group that holds lines that the journal does not. */
  unjournaled(): DecisionGroup[];
  /** Takes whole groups, which get no more lines: every full one, and the oldest begun before, up to `groupsMax`. */
  take(groupsMax: number, begunBefore: Date): DecisionGroup[];
  /** It is a segment, or is left to others. */
  forget(group: DecisionGroup): void;
  groups(): number;
};

export function createDecisionBuffer(
  deps: { readonly clock: Clock; readonly random: Random },
  options: { readonly groupFull: number },
): DecisionBuffer {
  // A map keeps the order in which groups began to wait.
  const open = new Map<string, DecisionGroup>();
  const full: DecisionGroup[] = [];
  const taken = new Set<DecisionGroup>();

  const begin = (owner: Pick<DecisionGroup, 'organizationId' | 'policyRevision'>): DecisionGroup => ({
    ...owner,
    segmentId: decisionSegmentId.create(deps),
    startedAt: deps.clock.now(),
    parts: 0,
    journaled: [],
    waiting: [],
  });
  return {
    add: ({ organizationId, policyRevision }, line) => {
      // An id has no space, so no two owners share a key.
      const key = `${organizationId} ${policyRevision}`;
      const group = open.get(key) ?? begin({ organizationId, policyRevision });
      group.waiting.push(line);
      if (group.waiting.length + group.journaled.length < options.groupFull) open.set(key, group);
      else {
        full.push(group);
        open.delete(key);
      }
    },
    unjournaled: () => [...taken, ...full, ...open.values()].filter(({ waiting }) => waiting.length > 0),
    take: (groupsMax, begunBefore) => {
      const groups = full.splice(0);
      for (const [key, group] of open) {
        if (groups.length >= groupsMax || group.startedAt > begunBefore) break;
        groups.push(group);
        open.delete(key);
      }
      for (const group of groups) taken.add(group);
      return groups;
    },
    forget: (group) => void taken.delete(group),
    groups: () => open.size + full.length,
  };
}
