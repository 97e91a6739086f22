import { type EvaluationRequest, parseEvaluationRequest } from '../../shared/authorization/index.ts';
import { ok, type Result } from '../../shared/kernel/index.ts';
import { type JsonFailure, readJson } from './read-json.ts';

export type Question = { readonly request: EvaluationRequest; readonly wantsReasons: boolean };

export function readQuestion(contentType: string | undefined, body: Buffer): Result<Question, JsonFailure> {
  const json = readJson(contentType, body);
  return json.ok ? toQuestion(json.value) : json;
}

export function toQuestion(value: unknown): Result<Question, JsonFailure> {
  const request = parseEvaluationRequest(value);
  return request.ok ? ok({ request: request.value, wantsReasons: wantsReasons(value) ?? false }) : request;
}

/**
 * `options.reasons` is ours: a member that others ignore (AuthZEN 1.0 section 5), in the place where a batch has its
 * options. Undefined when it is not said.
 */
export function wantsReasons(value: unknown): boolean | undefined {
  const wanted = memberOf(memberOf(value, 'options'), 'reasons');
  return typeof wanted === 'boolean' ? wanted : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
