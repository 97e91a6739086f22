import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { Clock, Random } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { clientAddressOf } from './client-address.ts';
import { type ProblemFailure, problem } from './problem.ts';
import { type BodyReader, createBodyReader } from './request-body.ts';
import { requestIdOf } from './request-id.ts';
import type { WorkBudget } from './turn-budget.ts';

/** What the host knows of a request before the function sees it. */
export type RequestContext = {
  readonly requestId: string;
  readonly clientAddress: string;
  readonly body: Buffer;
};

export type FunctionOptions = {
  readonly name: string;
  readonly listener: (
    req: IncomingMessage,
    res: ServerResponse,
    context: RequestContext,
  ) => void | Promise<void>;
  /**
   * Answers before the framework's Express chain, which costs 150 us a request; false passes the request on.
   * For the decision path only. Its answers name the request themselves: `sendJson` and `sendProblem` do.
   */
  readonly firstListener?: (req: IncomingMessage, res: ServerResponse, context: RequestContext) => boolean;
  /** Cheap, and without a database call: it is polled often. */
  readonly isReady?: () => boolean;
  /** When it admits no more, requests are refused with 503 before their body is read; health is always answered. */
  readonly budget?: WorkBudget;
  readonly bodyBytesMax?: number;
  readonly trustedHops?: number;
};

export type FunctionServerDeps = { readonly clock: Clock; readonly random: Random; readonly logger: Logger };

const jsonHeaders = ['content-type', 'application/json', 'cache-control', 'no-store'];
const bodyTimeoutMs = 10_000;
const contexts = new WeakMap<IncomingMessage, RequestContext>();

/**
 * Registers the function with functions-framework and takes its server, unbound: the framework's own start-up
 * answers 500 on SIGTERM, accepts 1 GB bodies and believes any X-Forwarded-For.
 */
export function createFunctionServer(deps: FunctionServerDeps, options: FunctionOptions): Server {
  http(options.name, async (req, res) => {
    const context = contexts.get(req);
    if (context === undefined) throw new Error('A request reached the function without its context');
    await options.listener(req, res, context);
  });
  const server = getTestServer(options.name);
  const framework = server.listeners('request')[0] as RequestListener;
  server.removeAllListeners('request');
  const bodies = createBodyReader({ bytesMax: options.bodyBytesMax ?? 1_048_576, timeoutMs: bodyTimeoutMs });
  const host = { ...deps, options, framework, bodies };
  server.on('request', (req, res) => receive(host, req, res));
  // Longer than the 600 s of any proxy in front, so that it is never we who close a connection it is about to reuse.
  server.keepAliveTimeout = 620_000;
  server.headersTimeout = 15_000;
  server.requestTimeout = 60_000;
  server.maxHeadersCount = 100;
  return server;
}

type Host = FunctionServerDeps & {
  readonly options: FunctionOptions;
  readonly framework: RequestListener;
  readonly bodies: BodyReader;
};

function receive(host: Host, req: IncomingMessage, res: ServerResponse): void {
  if (answerHealth(host.options, req, res)) return;
  const requestId = requestIdOf(req, host);
  if (host.options.budget?.admit() === false) {
    sendProblem(res, { code: 'service.overloaded' }, requestId);
    return;
  }
  host.bodies.read(req, (body) => {
    try {
      if (body.ok) passOn(host, req, res, { requestId, body: body.value });
      else sendProblem(res, body.failure, requestId);
    } catch (error) {
      host.logger.error({ error, requestId }, 'The function host failed');
      sendProblem(res, { code: 'service.internal' }, requestId);
    }
  });
}

function passOn(
  { options, framework }: Host,
  req: IncomingMessage,
  res: ServerResponse,
  { requestId, body }: { requestId: string; body: Buffer },
): void {
  const context = { requestId, clientAddress: clientAddressOf(req, options.trustedHops ?? 0), body };
  if (options.firstListener?.(req, res, context) === true) return;
  contexts.set(req, context);
  res.setHeader('x-request-id', requestId);
  // Parsers of the framework skip a stream that has ended; rawBody is what adapters behind it read.
  Object.assign(req, { rawBody: body, body: undefined });
  framework(req, res);
}

function answerHealth(options: FunctionOptions, req: IncomingMessage, res: ServerResponse): boolean {
  if (req.url === '/health/live') {
    res.writeHead(200).end('live\n');
    return true;
  }
  if (req.url !== '/health/ready') return false;
  const ready = options.isReady?.() ?? true;
  res.writeHead(ready ? 200 : 503).end(ready ? 'ready\n' : 'not ready\n');
  return true;
}

export function sendProblem(res: ServerResponse, failure: ProblemFailure, requestId: string): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { status, headers, body } = problem(failure, requestId);
  res.writeHead(status, { ...headers, 'x-request-id': requestId }).end(body);
}

/** 200 with JSON that nobody may keep. A flat list of headers is what Node writes with the least work. */
export function sendJson(res: ServerResponse, json: string, requestId: string): void {
  const length = Buffer.byteLength(json);
  res.writeHead(200, [...jsonHeaders, 'content-length', String(length), 'x-request-id', requestId]).end(json);
}
