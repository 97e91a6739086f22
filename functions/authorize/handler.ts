import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RememberedSubjectFacts } from '../../shared/authorization/index.ts';
import { type FunctionOptions, type RequestContext, sendJson, sendProblem } from '../../shared/http/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import type { Answer, AuthorizeCall } from './admit-caller.ts';
import { answerEvaluation } from './answer-evaluation.ts';
import { type AnswerEvaluationsDeps, answerEvaluations } from './answer-evaluations.ts';
import { type AnswerSearchDeps, createAnswerSearch } from './answer-search.ts';
import {
  describeDecisionPoint,
  evaluationPath,
  evaluationsPath,
  metadataPathsOf,
  searchPaths,
} from './describe-decision-point.ts';
import { answerPolicyStatus, type PolicyReport, policyStatusPath } from './policy-status.ts';
import { createWorkSlots } from './work-slots.ts';

export type HandlerDeps = AnswerEvaluationsDeps &
  AnswerSearchDeps & {
    readonly facts: RememberedSubjectFacts;
    readonly publicUrl: string;
    readonly policies: { report(): PolicyReport };
  };

/** Of a batch: a hundred questions. What the host reads at most. */
export const bodyBytesMax = 1_048_576;
/** A question with attributes is 2 to 4 KB; the policy's time grows with the input. */
const questionBytesMax = 65_536;
/** At once: of a hundred items each, the last of them is answered after some hundred milliseconds. */
const batchesMax = 32;
/** Of one organization: the rest is for others. */
const batchesOwnMax = 16;

type Operation = {
  readonly method: 'POST' | 'GET';
  readonly bytesMax: number;
  answer(call: AuthorizeCall): Promise<Answer> | Answer;
};

/** All addresses are answered before the framework's Express chain, which costs more than the decision does. */
export function createHandler(deps: HandlerDeps): Pick<FunctionOptions, 'firstListener' | 'listener'> {
  const operations = new Map(Object.entries(toOperations(deps)));
  return {
    firstListener: (req, res, context) => {
      const operation = operations.get(pathOf(req.url ?? ''));
      // The framework's way with a request makes every later one slower.
      if (operation === undefined) sendProblem(res, { code: 'request.route_unknown' }, context.requestId);
      else if (isAllowed(operation, req.method)) void perform(operation, req, res, context);
      else refuseMethod(operation, res, context);
      return true;
    },
    listener: (_req, res, { requestId }) => sendProblem(res, { code: 'request.route_unknown' }, requestId),
  };
}

function toOperations(deps: HandlerDeps): Readonly<Record<string, Operation>> {
  const search = createAnswerSearch(deps);
  const slots = createWorkSlots(batchesMax, batchesOwnMax);
  const metadata = ok(describeDecisionPoint(deps.publicUrl));
  const describing = metadataPathsOf(deps.publicUrl).map((path) => [path, reading(() => metadata)]);
  return {
    [evaluationPath]: asking(questionBytesMax, (call) => answerEvaluation(deps, call)),
    [evaluationsPath]: asking(bodyBytesMax, (call) => answerEvaluations({ ...deps, slots }, call)),
    [searchPaths.subject]: asking(questionBytesMax, (call) => search('subject', call)),
    [searchPaths.resource]: asking(questionBytesMax, (call) => search('resource', call)),
    [searchPaths.action]: asking(questionBytesMax, (call) => search('action', call)),
    [policyStatusPath]: reading((call) => answerPolicyStatus(deps, call)),
    ...Object.fromEntries(describing),
  };
}

function asking(bytesMax: number, answer: Operation['answer']): Operation {
  return { method: 'POST', bytesMax, answer };
}

function reading(answer: Operation['answer']): Operation {
  return { method: 'GET', bytesMax: questionBytesMax, answer };
}

function isAllowed({ method }: Operation, asked: string | undefined): boolean {
  return asked === method || (method === 'GET' && asked === 'HEAD');
}

async function perform(
  operation: Operation,
  req: IncomingMessage,
  res: ServerResponse,
  { body, requestId, clientAddress }: RequestContext,
): Promise<void> {
  if (body.length > operation.bytesMax) {
    const detail = `The body may hold at most ${operation.bytesMax} bytes`;
    return sendProblem(res, { code: 'request.body_too_large', detail }, requestId);
  }
  const answer = await operation.answer({
    authorization: req.headers.authorization,
    contentType: req.headers['content-type'],
    traceparent: headerOf(req, 'traceparent'),
    body,
    requestId,
    clientAddress,
  });
  if (answer.ok) sendJson(res, answer.value, requestId);
  else sendProblem(res, answer.failure, requestId);
}

function refuseMethod({ method }: Operation, res: ServerResponse, { requestId }: RequestContext): void {
  res.setHeader('allow', method === 'GET' ? 'GET, HEAD' : method);
  sendProblem(res, { code: 'request.method_not_allowed' }, requestId);
}

function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
