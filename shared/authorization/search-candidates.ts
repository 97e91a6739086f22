import { type Fail, fail, ok, type Result } from '../kernel/index.ts';
import type { ServedPolicyEngine } from './policy-engine.ts';
import type { SearchQuestion } from './search-request.ts';

export type CandidatesAsked = {
  readonly organizationId: string;
  readonly question: SearchQuestion;
  /** Only what comes after it; the empty text is before everything. */
  readonly after: string;
  readonly countMax: number;
};

export type SearchFailure =
  | { readonly code: 'search.too_broad'; readonly detail: string }
  /** The asking party may not have even the first candidates tried now. */
  | { readonly code: 'rate_limit.exceeded'; readonly retryAfterSeconds: number };

/**
 * What a search has to try. The contract: every subject, resource or action that could be permitted is listed, each
 * once, in an ascending order that never changes; fewer than `countMax` means that there are no more. Listing one
 * too many costs an evaluation, one too few hides a right: who is permitted is not judged here. A type that nobody
 * knows has none. Broken infrastructure throws.
 */
export type SearchCandidates = {
  list(asked: CandidatesAsked): Promise<Result<readonly string[], SearchFailure>>;
};

/** A bundle lists all it has for each page, so there must not be too many. */
const bundleCandidatesMax = 10_000;

/** What the served bundle names itself, else what `others` have. */
export function bundleCandidates(
  engine: Pick<ServedPolicyEngine, 'candidates'>,
  others: SearchCandidates,
): SearchCandidates {
  return {
    list: async (asked) => {
      const { organizationId, question } = asked;
      const all = await engine.candidates({ ...question, organization: { id: organizationId } });
      if (all === undefined) return others.list(asked);
      return all.length > bundleCandidatesMax ? tooBroad(all.length) : ok(pageOf(all, asked));
    },
  };
}

/** Of a list in ascending order of code units. */
export function pageOf(
  all: readonly string[],
  { after, countMax }: Pick<CandidatesAsked, 'after' | 'countMax'>,
): readonly string[] {
  return all.filter((candidate) => candidate > after).slice(0, countMax);
}

function tooBroad(count: number): Fail<SearchFailure> {
  const detail = `The policy names ${count} candidates, and at most ${bundleCandidatesMax} can be tried`;
  return fail({ code: 'search.too_broad', detail });
}
