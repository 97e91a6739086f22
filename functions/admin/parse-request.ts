import type { z } from 'zod';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';

/** A request as it arrived: nothing of it is believed yet. */
export type RawRequest = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  readonly body: Buffer;
};

type FieldFault = { readonly path: string; readonly message: string };
type Part = 'path' | 'query' | 'body';

/** Strict on all three parts: a field that is not known is refused with its path (mass assignment, API3:2023). */
export function parsePart<Schema extends z.ZodType>(
  part: Part,
  schema: Schema,
  value: unknown,
): Result<z.output<Schema>, ProblemFailure> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  return malformed(parsed.error.issues.flatMap((issue) => toFaults(part, issue, value)));
}

export function readQuery(query: URLSearchParams): Result<Record<string, string>, ProblemFailure> {
  const names = [...query.keys()];
  const repeated = names.find((name, place) => names.indexOf(name) !== place);
  // Threat: two readers of one request that each believe another of the two values (parameter pollution).
  if (repeated !== undefined)
    return malformed([{ path: `query.${shown(repeated)}`, message: 'is repeated' }]);
  return ok(Object.fromEntries(query));
}

/** An absent body reads as an object without members. */
export function readJson(request: RawRequest): Result<unknown, ProblemFailure> {
  if (request.body.length === 0) return ok({});
  const type = request.contentType?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return fail({ code: 'request.unsupported_content_type', detail: 'Send application/json' });
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.body)));
  } catch {
    return malformed([{ path: 'body', message: 'is not JSON in UTF-8' }]);
  }
}

export function malformed(errors: readonly FieldFault[]): Result<never, ProblemFailure> {
  const detail = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
  return fail({ code: 'request.malformed', detail, errors });
}

function toFaults(part: Part, issue: z.core.$ZodIssue, value: unknown): FieldFault[] {
  const path = [part, ...issue.path.map(String)].map(shown).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, 20).map((key) => ({ path: `${path}.${shown(key)}`, message: 'is not known' }));
  const isMissing = issue.path.length > 0 && issue.path.reduce(memberOf, value) === undefined;
  return [{ path, message: isMissing ? 'is required' : issue.message }];
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** A name that the caller chose, short enough to repeat. */
function shown(name: string): string {
  return name.length <= 64 ? name : `${name.slice(0, 64)}…`;
}
