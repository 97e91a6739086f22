import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { isTransientError } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FunctionOptions, RequestContext } from './function-server.ts';
import { type ProblemFailure, problem } from './problem.ts';

export type AppEnv = { Bindings: HttpBindings & { context: RequestContext } };
export type App = Hono<AppEnv>;

/** A Hono application whose every error leaves as a problem response, and whose unknown routes do too. */
export function createApp(logger: Logger): App {
  const app = new Hono<AppEnv>({ strict: true });
  app.notFound((c) => problemResponse({ code: 'request.route_unknown' }, c.env.context.requestId));
  app.onError((error, c) => {
    const { requestId } = c.env.context;
    logger.error({ error, requestId, path: c.req.path, method: c.req.method }, 'The request failed');
    return problemResponse(
      { code: isTransientError(error) ? 'service.unavailable' : 'service.internal' },
      requestId,
    );
  });
  return app;
}

export function problemResponse(failure: ProblemFailure, requestId: string): Response {
  const { status, headers, body } = problem(failure, requestId);
  return new Response(body, { status, headers });
}

/** Mounts the application as the listener of a function. */
export function toListener(app: App): FunctionOptions['listener'] {
  return (req, res, context) =>
    getRequestListener((request, env) => app.fetch(request, { ...env, context }), {
      overrideGlobalObjects: false,
    })(req, res);
}
