import { type EvaluationRequest, parseEvaluationRequest } from '../../shared/authorization/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { type JsonFailure, readJson } from './read-json.ts';

export type Question = { readonly request: EvaluationRequest; readonly options: QuestionOptions };

/**
 * Ours: members of `options`, which others ignore (AuthZEN 1.0 section 5), in the place where a batch has its own.
 * Undefined is what was not said.
 */
export type QuestionOptions = {
  readonly reasons?: boolean | undefined;
  /** `min_data_revision`, the `data_revision` of an earlier answer: this one rests on facts that are no older. */
  readonly minDataRevision?: number | undefined;
};

export function readQuestion(contentType: string | undefined, body: Buffer): Result<Question, JsonFailure> {
  const json = readJson(contentType, body);
  return json.ok ? toQuestion(json.value) : json;
}

export function toQuestion(value: unknown): Result<Question, JsonFailure> {
  const request = parseEvaluationRequest(value);
  if (!request.ok) return request;
  const options = readOptions(value);
  return options.ok ? ok({ request: request.value, options: options.value }) : options;
}

const none = ok({});

/** What is not understood is ignored, but for the bound: an answer that is older than asked for must not pass for one. */
export function readOptions(value: unknown): Result<QuestionOptions, JsonFailure> {
  const options = memberOf(value, 'options');
  if (options === undefined) return none;
  const reasons = memberOf(options, 'reasons');
  const minDataRevision = memberOf(options, 'min_data_revision') ?? undefined;
  if (minDataRevision !== undefined && !isRevision(minDataRevision)) {
    return fail({ code: 'request.malformed', detail: 'options.min_data_revision must be a whole number' });
  }
  return ok({ reasons: typeof reasons === 'boolean' ? reasons : undefined, minDataRevision });
}

function isRevision(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
