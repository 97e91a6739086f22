import { toPlainText } from './plain-text.ts';

/**
 * A statement about a source in the manner of Kubernetes: what is so, why, and since when it has been.
 * `Ready`: everything declared is applied. `Reconciling`: a run is under way, or died,
 * or will be tried again. `Stalled`: only a new commit or
 * another setting can help. `FoldersMissing`: organizations that Git declares no longer; they stay as they are.
 */
export type ReconcileCondition = {
  readonly type: 'Ready' | 'Reconciling' | 'Stalled' | 'FoldersMissing';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  readonly commit?: string;
  /** When `status` last changed. */
  readonly since: string;
};

type Known = readonly Readonly<Record<string, unknown>>[];

/** The old conditions with the new ones in the place of their types; `since` moves only when the status does. */
export function replaceConditions(
  old: Known,
  next: readonly Omit<ReconcileCondition, 'since'>[],
  now: Date,
): Known {
  const replaced = next.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    const since = before?.['status'] === condition.status ? before['since'] : now.toISOString();
    return { ...condition, message: toPlainText(condition.message, messageLengthMax), since };
  });
  const kept = old.filter(({ type }) => !next.some((condition) => condition.type === type));
  return [...kept, ...replaced].toSorted((a, b) => (String(a['type']) < String(b['type']) ? -1 : 1));
}

const messageLengthMax = 2000;

export function findCondition(
  conditions: Known,
  type: ReconcileCondition['type'],
): Known[number] | undefined {
  return conditions.find((condition) => condition['type'] === type);
}

export function isTrue(conditions: Known, type: ReconcileCondition['type']): boolean {
  return findCondition(conditions, type)?.['status'] === 'True';
}
