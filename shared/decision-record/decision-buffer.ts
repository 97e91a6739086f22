import type { DecisionRecord } from './decision-record.ts';

/** Records that wait to be written, per organization and policy revision, the longest waiting first. */
export type DecisionBuffer = {
  add(record: DecisionRecord): void;
  /** Takes whole groups: every one that is full, and the oldest ones up to `groupsMax`. */
  take(groupsMax: number): DecisionRecord[][];
  groups(): number;
};

export function createDecisionBuffer(options: { readonly groupFull: number }): DecisionBuffer {
  // A map keeps the order in which groups began to wait.
  const waiting = new Map<string, DecisionRecord[]>();
  const full: DecisionRecord[][] = [];

  return {
    add: (record) => {
      // Neither part can hold a space: an id and a revision of a verified manifest.
      const key = `${record.organization} ${record.policyRevision}`;
      const group = waiting.get(key);
      if (group === undefined) waiting.set(key, [record]);
      else if (group.push(record) >= options.groupFull) {
        full.push(group);
        waiting.delete(key);
      }
    },
    take: (groupsMax) => {
      const taken = full.splice(0);
      for (const [key, group] of waiting) {
        if (taken.length >= groupsMax) break;
        taken.push(group);
        waiting.delete(key);
      }
      return taken;
    },
    groups: () => full.length + waiting.size,
  };
}
