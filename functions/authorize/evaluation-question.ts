import { type EvaluationRequest, parseEvaluationRequest } from '../../shared/authorization/index.ts';
import { type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';

export type Question = { readonly request: EvaluationRequest; readonly wantsReasons: boolean };

export type QuestionFailure = { readonly code: 'request.malformed'; readonly detail: string };

/**
 * The body of a question. `options.reasons: true` is ours: a member that others ignore (AuthZEN 1.0 section 5), in
 * the place where a batch has its options. The wrong content type is 400 here, as the specification's other errors.
 */
export function readQuestion(
  contentType: string | undefined,
  body: Buffer,
): Result<Question, QuestionFailure> {
  if (!isJson(contentType)) return malformed('Content-Type must be application/json');
  const value = parseJson(body);
  if (value === undefined) return malformed('The body is not JSON');
  const request = parseEvaluationRequest(value);
  return request.ok ? ok({ request: request.value, wantsReasons: wantsReasons(value) }) : request;
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function wantsReasons(value: unknown): boolean {
  return memberOf(memberOf(value, 'options'), 'reasons') === true;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function malformed(detail: string): Fail<QuestionFailure> {
  return fail({ code: 'request.malformed', detail });
}
