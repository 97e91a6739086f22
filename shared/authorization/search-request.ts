import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';
import { type EvaluationRequest, type EvaluationRequestFailure, evaluationRequestSchema } from './authzen.ts';

/** What a search looks for. */
export type SearchKind = 'subject' | 'resource' | 'action';

type Attributes = EvaluationRequest['context'];
type Sought = { readonly type: string; readonly properties?: Attributes };

/** A question with one unknown: the id of a subject or a resource, or the name of an action. */
export type SearchQuestion =
  | ({ readonly search: 'subject'; readonly subject: Sought } & Omit<EvaluationRequest, 'subject'>)
  | ({ readonly search: 'resource'; readonly resource: Sought } & Omit<EvaluationRequest, 'resource'>)
  | ({ readonly search: 'action' } & Omit<EvaluationRequest, 'action'>);

export type SearchRequest = {
  readonly question: SearchQuestion;
  /** Absent when the asking party said nothing of pages. */
  readonly page?: { readonly token?: string | undefined; readonly limit?: number | undefined };
};

const { subject, action, resource, context } = evaluationRequestSchema.shape;
/** An id that is sent all the same is ignored, whatever it is (AuthZEN 1.0 sections 8.4 and 8.5). */
const soughtSubject = subject.omit({ id: true });
const soughtResource = resource.omit({ id: true });
const page = z
  .object(
    {
      token: z.string('must be a string').max(8192, 'is too long').nullish(),
      limit: z.int('must be a whole number').min(0, 'must not be negative').nullish(),
    },
    'must be an object',
  )
  .nullish();
const schemas = {
  subject: z.object({ subject: soughtSubject, action, resource, context, page }, 'must be an object'),
  resource: z.object({ subject, action, resource: soughtResource, context, page }, 'must be an object'),
  action: z.object({ subject, resource, context, page }, 'must be an object'),
};

/** Subject, Resource or Action Search request, AuthZEN 1.0 section 8. */
export function parseSearchRequest(
  search: SearchKind,
  body: unknown,
): Result<SearchRequest, EvaluationRequestFailure> {
  const parsed = parse(search, body);
  if (!parsed.ok) return parsed;
  const { page: asked, ...question } = parsed.value;
  if (asked === undefined || asked === null) return ok({ question });
  // An empty token is how the last page ends: sent back, it asks for the first.
  return ok({ question, page: { token: asked.token || undefined, limit: asked.limit ?? undefined } });
}

/** The question of an evaluation whose unknown is this candidate. */
export function toEvaluation(question: SearchQuestion, candidate: string): EvaluationRequest {
  switch (question.search) {
    case 'subject':
      return { ...question, subject: { properties: undefined, ...question.subject, id: candidate } };
    case 'resource':
      return { ...question, resource: { properties: undefined, ...question.resource, id: candidate } };
    case 'action':
      return { ...question, action: { name: candidate, properties: undefined } };
  }
}

/** By kind, so that each keeps the type of its own schema. */
function parse(search: SearchKind, body: unknown) {
  switch (search) {
    case 'subject':
      return toResult(schemas.subject.safeParse(body), { search });
    case 'resource':
      return toResult(schemas.resource.safeParse(body), { search });
    case 'action':
      return toResult(schemas.action.safeParse(body), { search });
  }
}

function toResult<T extends object, S extends object>(
  parsed: z.ZodSafeParseResult<T>,
  search: S,
): Result<T & S, EvaluationRequestFailure> {
  if (parsed.success) return ok({ ...parsed.data, ...search });
  return fail({ code: 'request.malformed', detail: toDetail(parsed.error) });
}

function toDetail(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'the request'} ${message}`).join('; ');
}
