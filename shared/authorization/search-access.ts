import { type Clock, fail, ok, type Result, secondsAfter } from '../kernel/index.ts';
import type { Decision } from './decision.ts';
import { type EvaluateAccessDeps, evaluateAccess } from './evaluate-access.ts';
import { holdSubjectFacts } from './held-subject-facts.ts';
import type { SearchCandidates, SearchFailure } from './search-candidates.ts';
import { type SearchQuestion, toEvaluation } from './search-request.ts';
import { createSlices, type WorkTurns } from './work-turns.ts';

export type SearchAccessDeps = EvaluateAccessDeps & {
  readonly candidates: SearchCandidates;
  readonly turns: WorkTurns;
  /** How many candidates the asking party may have tried; absent: as many as one request may. */
  readonly allowance?: SearchAllowance | undefined;
  /** Absent: 2,000 candidates and one second. */
  readonly searchBounds?: SearchBounds | undefined;
};

/** Each candidate is a question: who may ask so many a second may not have more tried by searching. */
export type SearchAllowance = {
  take(count: number): Allowed | Promise<Allowed>;
  /** Of what was taken and not tried. */
  giveBack(count: number): void | Promise<void>;
};

type Allowed =
  | { readonly isAdmitted: true }
  | { readonly isAdmitted: false; readonly retryAfterSeconds: number };

export type SearchAsked = {
  readonly organizationId: string;
  readonly question: SearchQuestion;
  /** Where the page before it ended; empty for the first. */
  readonly after: string;
  readonly limit: number;
};

export type SearchPage = {
  /** Ids or names, ascending: exactly those candidates on which an evaluation would permit. */
  readonly found: readonly string[];
  /** Where the next page begins; undefined when there is nothing more to find. */
  readonly next: string | undefined;
  /** Candidates on which the policy failed: as in an evaluation they are not permitted, but nobody should miss them. */
  readonly undecided: number;
  /** Of the decision that was made last; undefined when there was nothing to try. */
  readonly decision: Decision | undefined;
};

/** What one request may cost. Beyond it the page ends early and says where to go on: nothing is cut off unsaid. */
export type SearchBounds = { readonly candidatesMax: number; readonly seconds: number };

const defaultBounds: SearchBounds = { candidatesMax: 2_000, seconds: 1 };
const candidatesAtOnce = 500;
const factsAtOnce = 32;

/**
 * One page of a search. Every candidate is put to the policy as the evaluation it stands for, so a search and an
 * evaluation cannot disagree; a page that is full looks on until it has seen whether there is more. Where the allowance
 * ends the page does. Throws when facts or the policy could not be had.
 */
export async function searchAccess(
  deps: SearchAccessDeps,
  asked: SearchAsked,
): Promise<Result<SearchPage, SearchFailure>> {
  const isSpent = createBudget(deps.clock, deps.searchBounds ?? defaultBounds);
  const found: string[] = [];
  let last: Decision | undefined;
  let undecided = 0;
  let position = asked.after;
  const endPage = (next: string | undefined) => ok({ found, next, undecided, decision: last });
  for await (const tried of tryCandidates(deps, asked)) {
    if (!tried.ok) {
      // What was tried stands: the page ends where somebody may go on who waits a little.
      const isUnderWay = tried.failure.code === 'rate_limit.exceeded' && position !== asked.after;
      return isUnderWay ? endPage(position) : tried;
    }
    const { candidate, decision } = tried.value;
    last = decision;
    if (decision.decision && found.length >= asked.limit) return endPage(position);
    position = candidate;
    if (decision.decision) found.push(candidate);
    if (decision.code === 'error') undecided++;
    if (isSpent()) return endPage(position);
  }
  return endPage(undefined);
}

/** At least one candidate a page is tried, so that going on always gets somewhere. */
function createBudget(clock: Clock, { candidatesMax, seconds }: SearchBounds): () => boolean {
  const until = secondsAfter(clock.now(), seconds);
  let tried = 0;
  return () => ++tried >= candidatesMax || clock.now() >= until;
}

type Tried = { readonly candidate: string; readonly decision: Decision };

/** All of one instant. Between slices of the work, others are answered. */
async function* tryCandidates(
  deps: SearchAccessDeps,
  { organizationId, question, after }: SearchAsked,
): AsyncGenerator<Result<Tried, SearchFailure>, void> {
  const now = deps.clock.now();
  const slice = createSlices(deps);
  let position: string | undefined = after;
  while (position !== undefined) {
    const asked = { organizationId, question, after: position, countMax: candidatesAtOnce };
    const listed = await deps.candidates.list(asked);
    if (!listed.ok) return yield listed;
    for (let from = 0; from < listed.value.length; from += factsAtOnce) {
      const candidates = listed.value.slice(from, from + factsAtOnce);
      const allowed = await deps.allowance?.take(candidates.length);
      if (allowed?.isAdmitted === false) {
        const { retryAfterSeconds } = allowed;
        return yield fail({ code: 'rate_limit.exceeded', retryAfterSeconds });
      }
      let untried = candidates.length;
      try {
        const requests = candidates.map((candidate) => ({
          candidate,
          request: toEvaluation(question, candidate),
        }));
        const facts = await holdSubjectFacts(
          deps.facts,
          organizationId,
          requests.map(({ request }) => request),
        );
        for (const { candidate, request } of requests) {
          await slice();
          const held = { ...deps, facts, clock: { now: () => now } };
          const decision = await evaluateAccess(held, { organizationId, request });
          untried--;
          if (decision.revision === undefined)
            throw new Error('A candidate was not decided', { cause: decision.cause });
          yield ok({ candidate, decision });
        }
      } finally {
        // Also where whoever listens has enough and ends this.
        if (untried > 0) await deps.allowance?.giveBack(untried);
      }
    }
    position = listed.value.length < candidatesAtOnce ? undefined : listed.value.at(-1);
  }
}
