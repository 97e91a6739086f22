import { guard, type ToQuestion } from './guard.ts';
import type { Pep } from './pep.ts';

/** As much of a Fastify request as is read here. */
export type FastifyRequestLike = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly params: unknown;
  readonly routeOptions: { readonly url?: string | undefined };
};

export type FastifyReplyLike = {
  code(status: number): unknown;
  headers(values: Readonly<Record<string, string>>): unknown;
  send(body: string): unknown;
};

/**
 * A hook for one route, `{ preHandler: fastifyPep(pep, toQuestion) }`, or for all of a plugin,
 * `addHook('preHandler', ...)`: Fastify runs it after routing. What no route matched has no `url` and is refused.
 */
export function fastifyPep<Request extends FastifyRequestLike>(
  pep: Pick<Pep, 'evaluate'>,
  toQuestion: ToQuestion<Request>,
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const { method, params, headers } = request;
    const refusal = await guard(pep, toQuestion, {
      method,
      route: request.routeOptions.url,
      params,
      request,
      header: (name) => headers[name],
    });
    if (refusal === undefined) return undefined;
    reply.code(refusal.status);
    reply.headers(refusal.headers);
    reply.send(refusal.body);
    // An asynchronous hook that has answered says so by returning the reply.
    return reply;
  };
}
