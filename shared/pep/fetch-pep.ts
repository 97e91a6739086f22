import { guard, type ToQuestion } from './guard.ts';
import type { Pep } from './pep.ts';
import { type Refusal, refuseUnknownRoute } from './refusal.ts';
import { createRouteTable, type FetchRoute } from './route-table.ts';

/**
 * Guards a fetch handler (`(request) => Response`), which has no router, by a table of its own:
 *
 *     fetchPep(pep, { 'GET /documents/:id': ({ params }) => question }, (request, { params }) => ...)
 *
 * The handler is reached by a route of the table or not at all (404), and is given the very parameters asked about;
 * one that parses `request.url` again takes on the spelling traps named at `RouteMatch`.
 */
export function fetchPep<Rest extends readonly unknown[]>(
  pep: Pick<Pep, 'evaluate'>,
  routes: Readonly<Record<string, ToQuestion<Request>>>,
  handler: (request: Request, route: FetchRoute, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const find = createRouteTable(routes);
  return async (request, ...rest) => {
    const found = find(request.method, new URL(request.url).pathname);
    if (found === undefined) return toResponse(refuseUnknownRoute());
    const { value: toQuestion, route, params } = found;
    const header = (name: string) => request.headers.get(name) ?? undefined;
    const refusal = await guard(pep, toQuestion, { method: request.method, route, params, request, header });
    return refusal === undefined ? handler(request, { route, params }, ...rest) : toResponse(refusal);
  };
}

function toResponse(refusal: Refusal): Response {
  return new Response(refusal.body, refusal);
}
