import type { Pep } from './pep.ts';
import type { Question } from './question.ts';
import { type Refusal, refuseUnmapped, toRefusal } from './refusal.ts';

/**
 * A request as its router matched it. Map from `route` and `params`, never from the raw path: `/admin`, `//admin`,
 * `/%61dmin`, `/ADMIN` and `/admin.` are one place to some routers and five to a text comparison, and a rule about the
 * text is passed by whichever spelling it forgot. `route` and `params` are what chose the handler and what it will see.
 */
export type RouteMatch<Request> = {
  /** As received, in capitals. Routers also send HEAD to the handler of GET. */
  readonly method: string;
  /** The pattern the route was declared with, as in `/documents/:id`. */
  readonly route: string;
  /** Decoded, as the handler gets them; a wildcard that matched several segments is left out. */
  readonly params: Readonly<Record<string, string>>;
  /** The framework's own: request of Express and Fastify, context of Hono, `Request` of fetch. */
  readonly request: Request;
};

/** The question a request puts; undefined when none is known, which refuses it. */
export type ToQuestion<Request> = (
  match: RouteMatch<Request>,
) => Question | undefined | Promise<Question | undefined>;

/** What a framework's adapter knows of a request. */
export type Guarded<Request> = {
  readonly method: string;
  /** Not a text when no route has matched yet: the guard stands before the router, and refuses. */
  readonly route: unknown;
  readonly params: unknown;
  readonly request: Request;
  header(name: string): unknown;
};

/** Undefined when the request may go on. Rejects with what `toQuestion` throws, for the framework to answer as 500. */
export async function guard<Request>(
  pep: Pick<Pep, 'evaluate'>,
  toQuestion: ToQuestion<Request>,
  { method, route, params, request, header }: Guarded<Request>,
): Promise<Refusal | undefined> {
  if (typeof route !== 'string') return refuseUnmapped();
  const question = await toQuestion({
    method: method.toUpperCase(),
    route,
    params: toTexts(params),
    request,
  });
  if (question === undefined) return refuseUnmapped();
  const [requestId, traceparent, tracestate] = ['x-request-id', 'traceparent', 'tracestate'].map((name) =>
    toText(header(name)),
  );
  return toRefusal(await pep.evaluate(question, { requestId, traceparent, tracestate }));
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toTexts(params: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(params ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}
