import type { Principal } from '../../shared/authentication/index.ts';
import {
  demandFreshFacts,
  narrowToCredential,
  openPageToken,
  type PagePosition,
  type PageTokenDeps,
  parseSearchRequest,
  type SearchAccessDeps,
  type SearchAllowance,
  type SearchKind,
  type SearchPage,
  type SearchQuestion,
  type SearchRequest,
  sealPageToken,
  searchAccess,
} from '../../shared/authorization/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import {
  type AdmitCallerDeps,
  type Answer,
  type AuthorizeCall,
  admitCaller,
  admitQuestion,
} from './admit-caller.ts';
import { type QuestionOptions, readOptions } from './evaluation-question.ts';
import { readJson } from './read-json.ts';
import type { RecordDecisionDeps } from './record-decision.ts';
import { recordSearch } from './record-search.ts';
import { createWorkSlots } from './work-slots.ts';

export type AnswerSearchDeps = SearchAccessDeps & AdmitCallerDeps & PageTokenDeps & RecordDecisionDeps;

export type AnswerSearch = (search: SearchKind, call: AuthorizeCall) => Promise<Answer>;

/** Of one page, whatever is asked for: more makes an answer that is long to wait for and heavy to hold. */
const pageResultsMax = 1_000;
/** At once: as many as memory has room for, since the event loop they share anyway; of one organization a share. */
const searchesMax = 16;
const searchesOwnMax = 4;

/** The searches, AuthZEN 1.0 section 8. */
export function createAnswerSearch(deps: AnswerSearchDeps): AnswerSearch {
  const slots = createWorkSlots(searchesMax, searchesOwnMax);
  return (search, call) =>
    admitCaller(deps, call, async (caller) => {
      const json = readJson(call.contentType, call.body);
      if (!json.ok) return json;
      const request = parseSearchRequest(search, json.value);
      if (!request.ok) return request;
      const options = readOptions(json.value);
      if (!options.ok) return options;
      const asked = { caller, request: request.value, options: options.value };
      return slots(() => answer(deps, call, asked), caller.organizationId);
    });
}

type Asked = {
  readonly caller: Principal;
  readonly request: SearchRequest;
  readonly options: QuestionOptions;
};

async function answer(deps: AnswerSearchDeps, call: AuthorizeCall, asked: Asked): Promise<Answer> {
  const { caller, request } = asked;
  const admitted = await admitQuestion(deps, caller, subjectsOf(request.question));
  if (!admitted.ok) return admitted;
  const query = { organizationId: caller.organizationId, question: request.question };
  const position = await findPosition(deps, query, request.page);
  if (!position.ok) return position;
  const narrowed = narrowToCredential(deps.facts, caller);
  const facts = demandFreshFacts(narrowed, asked.options.minDataRevision);
  const allowance = allowanceOf(deps, caller);
  const page = await searchAccess({ ...deps, facts, allowance }, { ...query, ...position.value });
  if (!page.ok) return page;
  const { requestId, traceparent } = call;
  await recordSearch(deps, { caller, question: request.question, page: page.value, requestId, traceparent });
  const { undecided } = page.value;
  if (undecided > 0)
    deps.logger.error({ requestId, undecided }, 'The policy decided nothing on some candidates');
  const { limit } = position.value;
  const { next } = page.value;
  const token = next === undefined ? '' : await sealPageToken(deps, query, { after: next, limit });
  return ok(present(asked, page.value, token));
}

/** A search is no way around the limit: it costs what asking about each of its candidates would. */
function allowanceOf({ questionLimits }: AdmitCallerDeps, caller: Principal): SearchAllowance {
  return {
    take: (count) => questionLimits.take(caller, count),
    giveBack: (count) => questionLimits.giveBack(caller, count),
  };
}

/** Whoever searches among subjects asks about others, by what it is. */
function subjectsOf(question: SearchQuestion) {
  return question.search === 'subject' ? [{ type: question.subject.type, id: '' }] : [question.subject];
}

/** The first request's limit holds for all pages (section 8.2.1); one that is said again must be the same. */
async function findPosition(
  deps: PageTokenDeps,
  query: { organizationId: string; question: SearchQuestion },
  page: SearchRequest['page'],
): Promise<Result<PagePosition, ProblemFailure>> {
  const limit = page?.limit === undefined ? undefined : Math.min(page.limit, pageResultsMax);
  if (page?.token === undefined) return ok({ after: '', limit: limit ?? pageResultsMax });
  const opened = await openPageToken(deps, query, page.token);
  if (!opened.ok || limit === undefined || limit === opened.value.limit) return opened;
  return fail({ code: 'request.malformed', detail: 'page.limit must be what it was for the first page' });
}

/** `type` before `id`, and no member that was not asked for: clients exist that compare whole answers. */
function present({ request, options }: Asked, found: SearchPage, token: string): string {
  const hasPage = request.page !== undefined || token !== '';
  return JSON.stringify({
    ...(hasPage ? { page: { next_token: token, count: found.found.length } } : {}),
    context: toContext(found, options),
    results: found.found.map((one) => toResult(request.question, one)),
  });
}

/** That the policy failed on some is told unasked, as in a batch: the answer may lack what it would permit. */
function toContext({ undecided, decision }: SearchPage, { reasons }: QuestionOptions) {
  if (undecided === 0 && reasons !== true) return undefined;
  const message = `The policy gave no decision on ${undecided} candidates, which are left out`;
  return {
    ...(undecided === 0 ? {} : { error: { status: 500, message } }),
    ...(reasons === true
      ? { policy_revision: decision?.revision, data_revision: decision?.dataRevision }
      : {}),
  };
}

function toResult(question: SearchQuestion, found: string) {
  switch (question.search) {
    case 'subject':
      return { type: question.subject.type, id: found };
    case 'resource':
      return { type: question.resource.type, id: found };
    case 'action':
      return { name: found };
  }
}
