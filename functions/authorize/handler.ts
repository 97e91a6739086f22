import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FunctionOptions, type RequestContext, sendJson, sendProblem } from '../../shared/http/index.ts';
import { type AnswerEvaluationDeps, answerEvaluation } from './answer-evaluation.ts';
import { describeDecisionPoint, evaluationPath, metadataPath } from './describe-decision-point.ts';
import { answerPolicyStatus, type PolicyReport, policyStatusPath } from './policy-status.ts';

export type HandlerDeps = AnswerEvaluationDeps & {
  readonly publicUrl: string;
  readonly policies: { report(): PolicyReport };
};

/** A question with attributes is 2 to 4 KB; the policy's time grows with the input. */
export const bodyBytesMax = 65_536;

/** Both addresses are answered before the framework's Express chain, which costs more than the decision does. */
export function createHandler(deps: HandlerDeps): Pick<FunctionOptions, 'firstListener' | 'listener'> {
  const metadata = describeDecisionPoint(deps.publicUrl);
  const routes: Readonly<Record<string, { method: string; answer: Answer }>> = {
    [evaluationPath]: { method: 'POST', answer: (...asked) => void evaluate(deps, ...asked) },
    [metadataPath]: {
      method: 'GET',
      answer: (_req, res, { requestId }) => sendJson(res, metadata, requestId),
    },
    [policyStatusPath]: { method: 'GET', answer: (...asked) => void describePolicies(deps, ...asked) },
  };
  return {
    firstListener: (req, res, context) => {
      const path = pathOf(req.url ?? '');
      const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
      if (route?.method !== req.method) return false;
      route?.answer(req, res, context);
      return true;
    },
    listener: (_req, res, { requestId }) => sendProblem(res, { code: 'request.route_unknown' }, requestId),
  };
}

type Answer = (req: IncomingMessage, res: ServerResponse, context: RequestContext) => void;

async function evaluate(
  deps: HandlerDeps,
  req: IncomingMessage,
  res: ServerResponse,
  { body, requestId }: RequestContext,
): Promise<void> {
  const answer = await answerEvaluation(deps, {
    authorization: req.headers.authorization,
    contentType: req.headers['content-type'],
    body,
    requestId,
  });
  if (answer.ok) sendJson(res, answer.value, requestId);
  else sendProblem(res, answer.failure, requestId);
}

async function describePolicies(
  deps: HandlerDeps,
  req: IncomingMessage,
  res: ServerResponse,
  { requestId }: RequestContext,
): Promise<void> {
  const answer = await answerPolicyStatus(deps, req.headers.authorization);
  if (answer.ok) sendJson(res, answer.value, requestId);
  else sendProblem(res, answer.failure, requestId);
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
