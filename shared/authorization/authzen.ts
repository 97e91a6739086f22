import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';

const nameMax = 256;
const idMax = 1024;
const textSchema = (max: number) =>
  z.string('must be a string').min(1, 'must not be empty').max(max, `must be at most ${max} characters`);
const nameSchema = textSchema(nameMax);
const idSchema = textSchema(idMax);
/** A member that is null counts as left out (I-JSON, RFC 7493): many serializers write it. */
const attributesSchema = z
  // As it is: a copy of each of a hundred items that share one large context would hold up everybody.
  .custom<Readonly<Record<string, unknown>>>(isRecord, 'must be an object')
  .nullish()
  .transform((value) => value ?? undefined);
const entity = <const Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object(shape, { error: (issue) => (issue.input === undefined ? 'is required' : 'must be an object') });

/** Access Evaluation request, AuthZEN Authorization API 1.0 section 6.1. Members it does not name are ignored. */
export const evaluationRequestSchema = z.object(
  {
    subject: entity({ type: nameSchema, id: idSchema, properties: attributesSchema }),
    action: entity({ name: nameSchema, properties: attributesSchema }),
    resource: entity({ type: nameSchema, id: idSchema, properties: attributesSchema }),
    context: attributesSchema,
  },
  'must be an object',
);

export type EvaluationRequest = z.output<typeof evaluationRequestSchema>;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export type EvaluationRequestFailure = {
  readonly code: 'request.malformed';
  /** Public: every fault with the path of its member, as in `subject.id is required`. */
  readonly detail: string;
};

export function parseEvaluationRequest(body: unknown): Result<EvaluationRequest, EvaluationRequestFailure> {
  const valid = readEvaluationRequest(body);
  if (valid !== undefined) return ok(valid);
  const parsed = evaluationRequestSchema.safeParse(body);
  if (parsed.success) return ok(parsed.data);
  const faults = parsed.error.issues.map(({ path, message, input }) => {
    const where = path.length === 0 ? 'the request' : path.join('.');
    return `${where} ${input === undefined && isMissing(body, path) ? 'is required' : message}`;
  });
  return fail({ code: 'request.malformed', detail: faults.join('; ') });
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  return path.length > 0 && path.reduce<unknown>(memberOf, body) === undefined;
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/**
 * Most of what the schema accepts, in a tenth of its time; undefined for the rest, of which the schema says what is wrong
 * if anything is: it counts code points, where here a long text beyond the basic plane is too long.
 */
function readEvaluationRequest(body: unknown): EvaluationRequest | undefined {
  if (!isRecord(body)) return undefined;
  const subject = readEntity(body['subject']);
  const resource = readEntity(body['resource']);
  const { action, context } = body;
  if (subject === undefined || resource === undefined || !isRecord(action)) return undefined;
  const { name, properties } = action;
  if (!isText(name, nameMax) || !isAttributes(properties) || !isAttributes(context)) return undefined;
  return {
    subject,
    action: { name, properties: properties ?? undefined },
    resource,
    context: context ?? undefined,
  };
}

function readEntity(value: unknown): EvaluationRequest['subject'] | undefined {
  if (!isRecord(value)) return undefined;
  const { type, id, properties } = value;
  if (!isText(type, nameMax) || !isText(id, idMax) || !isAttributes(properties)) return undefined;
  return { type, id, properties: properties ?? undefined };
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= max;
}

function isAttributes(value: unknown): value is Readonly<Record<string, unknown>> | null | undefined {
  return value === undefined || value === null || isRecord(value);
}
