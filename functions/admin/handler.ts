import type { Context } from 'hono';
import { type App, type AppEnv, createApp, problemResponse } from '../../shared/http/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { toOpenApi } from './openapi.ts';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';
import { runOperation } from './run-operation.ts';

/** The routes are the rows of the operation table, and the document that describes them. */
export function createHandler(deps: AdminDeps): App {
  const app = createApp(deps.logger);
  const document = JSON.stringify(toOpenApi(operations));
  app.get('/v1/openapi.json', () => answer(200, { 'content-type': 'application/json' }, document));
  for (const operation of operations) {
    app.on(operation.method, toHonoPath(operation.path), (c) => respond(deps, operation, c));
  }
  return app;
}

async function respond(deps: AdminDeps, operation: Operation, c: Context<AppEnv>): Promise<Response> {
  const { requestId, body, clientAddress } = c.env.context;
  const url = new URL(c.req.url);
  const result = await runOperation(deps, operation, {
    params: c.req.param() as Record<string, string>,
    query: url.searchParams,
    target: url.pathname + url.search,
    contentType: c.req.header('content-type'),
    authorization: c.req.header('authorization'),
    idempotencyKey: c.req.header('idempotency-key'),
    body,
    requestId,
    clientAddress,
  });
  if (!result.ok) return problemResponse(result.failure, requestId);
  return answer(result.value.status, result.value.headers, result.value.body);
}

/** What is answered concerns one caller, and may show a secret: nothing on the way keeps it. */
function answer(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): Response {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  return new Response(bytes, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

/** `{path}` is the one parameter that spans segments. */
function toHonoPath(path: string): string {
  return path.replace('{path}', ':path{.+}').replaceAll(/\{(\w+)\}/g, ':$1');
}
