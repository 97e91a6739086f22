import type { Decision } from '../../shared/authorization/index.ts';

export type Answer = Pick<Decision, 'decision' | 'code' | 'rule'>;

/** One question, answered before and after. */
export type Redecided = {
  /** Name of the case, or id of the request. */
  readonly name: string;
  readonly organization: string;
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  readonly before: Answer;
  readonly after: Answer;
};

export type RuleFlips = { readonly before: Answer; readonly after: Answer; readonly count: number };

export type SubjectFlips = {
  readonly organization: string;
  readonly type: string;
  readonly id: string;
  readonly to_permit: number;
  readonly to_refuse: number;
};

export type ReplayReport = {
  readonly total: number;
  readonly flipped: number;
  readonly to_permit: number;
  readonly to_refuse: number;
  /** The same decision for another reason. */
  readonly other_reason: number;
  /** The new bundle decided nothing: an error, which refuses. */
  readonly failed: number;
  readonly by_rule: readonly RuleFlips[];
  readonly by_subject: readonly SubjectFlips[];
  /** Each flip, up to `flipsListedMax`. */
  readonly flips: readonly Redecided[];
};

const flipsListedMax = 1_000;

export function createReplayTally() {
  const rules = new Map<string, { before: Answer; after: Answer; count: number }>();
  const subjects = new Map<string, { -readonly [Name in keyof SubjectFlips]: SubjectFlips[Name] }>();
  const flips: Redecided[] = [];
  const counts = { total: 0, flipped: 0, to_permit: 0, to_refuse: 0, other_reason: 0, failed: 0 };
  return {
    add: (asked: Redecided): void => {
      const { before, after, organization, subject } = asked;
      counts.total++;
      if (after.code === 'error') counts.failed++;
      if (before.decision === after.decision) {
        if (!isSameReason(before, after)) counts.other_reason++;
        return;
      }
      const direction = after.decision ? 'to_permit' : 'to_refuse';
      counts.flipped++;
      counts[direction]++;
      const rule = rules.get(keyOf(before, after)) ?? { before, after, count: 0 };
      rule.count++;
      rules.set(keyOf(before, after), rule);
      const { type, id } = subject;
      const who = subjects.get(keyOf(organization, subject)) ?? {
        organization,
        type,
        id,
        to_permit: 0,
        to_refuse: 0,
      };
      who[direction]++;
      subjects.set(keyOf(organization, subject), who);
      if (flips.length < flipsListedMax) flips.push(asked);
    },
    read: (): ReplayReport => ({
      ...counts,
      by_rule: [...rules.values()].sort((left, right) => right.count - left.count),
      by_subject: [...subjects.values()].sort((left, right) => flipsOf(right) - flipsOf(left)),
      flips,
    }),
  };
}

/** A case may leave rule or code open; what is not stated is not compared. */
function isSameReason(before: Answer, after: Answer): boolean {
  const isSame = (left: string | undefined, right: string | undefined) =>
    left === undefined || left === '' || left === right;
  return isSame(before.code, after.code) && isSame(before.rule, after.rule);
}

function flipsOf({ to_permit, to_refuse }: SubjectFlips): number {
  return to_permit + to_refuse;
}

function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
