import { guard, type ToQuestion } from './guard.ts';
import type { Pep } from './pep.ts';

/** As much of a Hono context as is read here. */
export type HonoContextLike = {
  readonly req: {
    readonly method: string;
    readonly routePath: string;
    param(): unknown;
    header(name: string): string | undefined;
  };
};

/**
 * Guards one route: `app.get('/documents/:id', honoPep(pep, toQuestion), handler)`. In `app.use('*', ...)` the route
 * is the pattern given there, `/*`, and has no parameters.
 */
export function honoPep<Context extends HonoContextLike>(
  pep: Pick<Pep, 'evaluate'>,
  toQuestion: ToQuestion<Context>,
): (c: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (c, next) => {
    const refusal = await guard(pep, toQuestion, {
      method: c.req.method,
      route: c.req.routePath,
      params: c.req.param(),
      request: c,
      header: (name) => c.req.header(name),
    });
    if (refusal !== undefined) return new Response(refusal.body, refusal);
    await next();
    return undefined;
  };
}
