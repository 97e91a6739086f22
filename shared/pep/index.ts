/**
 * Policy enforcement point: asks the decision point (AuthZEN 1.0) and keeps everything but an allow out. Needs nothing
 * but the global `fetch`, so it is published as one file (`build.ts`). Invariants: every error, timeout, redirect and
 * answer not understood refuses; an answer is used again only as long as the decision point said; two questions that
 * differ in any member share nothing.
 *
 *     const pep = createPep({ url: 'https://authorize.example.com', credential });
 *     app.get('/documents/:id', expressPep(pep, toQuestion), handler);
 */
export { createPep } from './create-pep.ts';
export type { DecisionCacheLimits } from './decision-cache.ts';
export { type ExpressRequestLike, type ExpressResponseLike, expressPep } from './express-pep.ts';
export { type FastifyReplyLike, type FastifyRequestLike, fastifyPep } from './fastify-pep.ts';
export { fetchPep } from './fetch-pep.ts';
export type { RouteMatch, ToQuestion } from './guard.ts';
export { type HonoContextLike, honoPep } from './hono-pep.ts';
export {
  AccessRefusedError,
  type Allowed,
  type Denied,
  type Obligation,
  type Outcome,
  type PepFailure,
  type StepUp,
  type StepUpNeeded,
  type Undecided,
} from './outcome.ts';
export type { CallContext, EvaluationsSemantic, Pep, PepOptions } from './pep.ts';
export type { Action, Attributes, Question, Resource, Subject } from './question.ts';
export type { FetchRoute } from './route-table.ts';
