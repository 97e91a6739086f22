import type { Decision, PolicyInput } from '../../shared/authorization/index.ts';

/** What is compared of two decisions, and what a disagreement is told by. */
export type Verdict = Pick<Decision, 'decision' | 'code'> & { readonly rule: string | undefined };

export function toVerdict({ decision, code, rule }: Decision): Verdict {
  return { decision, code, rule };
}

export type RuleDisagreement = { readonly live: Verdict; readonly shadow: Verdict; readonly count: number };

export type SubjectDisagreement = {
  readonly organization: string;
  readonly type: string;
  readonly id: string;
  readonly count: number;
};

/** One live revision against one shadow revision. */
export type ShadowComparison = {
  readonly liveRevision: string;
  readonly shadowRevision: string;
  readonly since: Date;
  readonly compared: number;
  /** Permitted by one and refused by the other. */
  readonly disagreed: number;
  /** The same decision for another reason. */
  readonly otherReason: number;
  /** Most frequent first. */
  readonly byRule: readonly RuleDisagreement[];
  readonly bySubject: readonly SubjectDisagreement[];
  /** Disagreements of rules or subjects beyond those that are counted one by one. */
  readonly notListed: number;
};

type Compared = Pick<ShadowComparison, 'liveRevision' | 'shadowRevision' | 'since'>;

export type ComparisonCounter = {
  readonly of: Compared;
  disagreed(): number;
  add(input: PolicyInput, live: Verdict, shadow: Verdict): void;
  read(): ShadowComparison;
};

/** Whoever asks decides how many subjects and, by a bundle, how many rules there are: so both have a bound. */
const rowsMax = 1_000;

export function createComparisonCounter(of: Compared): ComparisonCounter {
  const rules = createTally<Omit<RuleDisagreement, 'count'>>();
  const subjects = createTally<Omit<SubjectDisagreement, 'count'>>();
  let [compared, disagreed, otherReason] = [0, 0, 0];
  return {
    of,
    disagreed: () => disagreed,
    add: (input, live, shadow) => {
      compared++;
      if (live.decision === shadow.decision) {
        if (live.code !== shadow.code || live.rule !== shadow.rule) otherReason++;
        return;
      }
      disagreed++;
      rules.add({ live, shadow });
      const { type, id } = input.subject;
      subjects.add({ organization: input.organization.id, type, id });
    },
    read: () => ({
      ...of,
      compared,
      disagreed,
      otherReason,
      byRule: rules.read(),
      bySubject: subjects.read(),
      notListed: rules.notListed() + subjects.notListed(),
    }),
  };
}

function createTally<Row extends object>() {
  const rows = new Map<string, { row: Row; count: number }>();
  let notListed = 0;
  return {
    add: (row: Row) => {
      const key = JSON.stringify(row);
      const known = rows.get(key);
      if (known !== undefined) known.count++;
      else if (rows.size < rowsMax) rows.set(key, { row, count: 1 });
      else notListed++;
    },
    read: () =>
      [...rows.values()]
        .map(({ row, count }) => ({ ...row, count }))
        .sort((left, right) => right.count - left.count),
    notListed: () => notListed,
  };
}
