/**
 * The function host: one way to serve every function, one table of problems. See `function-server.ts` for why the
 * framework's own start-up is not used.
 */
export { bearerOf } from './bearer.ts';
export { networkOf } from './client-address.ts';
export type { CloudEventRequestFailure, ReceivedCloudEvent } from './cloud-event-request.ts';
export { type EventHandler, type EventOutcome, toEventListener } from './event-function.ts';
export {
  createFunctionServer,
  type FunctionOptions,
  type FunctionServerDeps,
  type RequestContext,
  sendJson,
  sendProblem,
} from './function-server.ts';
export { type App, type AppEnv, createApp, problemResponse, toListener } from './hono-app.ts';
export type { ProblemCode, ProblemFailure, ProblemResponse } from './problem.ts';
export { type Served, type ServeOptions, serve, stopOnSignal } from './serve.ts';
export { createTurnBudget, type TurnBudgetOptions, type WorkBudget } from './turn-budget.ts';
