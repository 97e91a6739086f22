import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FunctionOptions, type RequestContext, sendProblem } from '../../shared/http/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { SigningKeySet } from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { type ClientOperation, limitFailures } from './limit-requests.ts';
import { isProven, replayRequest } from './replay-request.ts';
import { showJwks } from './show-jwks.ts';
import type { TokenIssuer } from './token-issuer.ts';

export type TokenHandlerDeps = {
  readonly keys: SigningKeySet;
  readonly tokenIssuer: TokenIssuer;
  readonly limits: CallerLimits;
  readonly issuer: string;
  readonly jwksMaxAgeSeconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** The library's own cap, which it applies only to bodies it reads itself. */
export const bodyBytesMax = 56 * 1024;

/** Routes by an exact list: the library knows more addresses than we serve. */
export function createHandler(deps: TokenHandlerDeps): FunctionOptions['listener'] {
  const issuer = new URL(deps.issuer);
  const toLibrary: ClientOperation = async (req, res, { body, clientAddress }) => {
    const provider = await deps.tokenIssuer.provider();
    if (provider === undefined) {
      sendUnavailable(res);
      return { isProven: false };
    }
    const replay = replayRequest(req, { body, issuer, callerAddress: clientAddress });
    await provider.callback()(replay, res);
    return { isProven: isProven(replay) };
  };
  const toJwks: Operation = async (req, res) => {
    if (!(await showJwks(deps, req, res))) sendUnavailable(res);
  };
  const routes: Readonly<Record<string, Operation>> = {
    'POST /token': limitFailures(deps.limits, toLibrary),
    'GET /.well-known/openid-configuration': toLibrary,
    'GET /.well-known/oauth-authorization-server': toLibrary,
    'GET /jwks': toJwks,
  };
  return async (req, res, context) => {
    const route = `${req.method} ${req.url?.split('?', 1)[0]}`;
    const operation = Object.hasOwn(routes, route) ? routes[route] : undefined;
    if (operation === undefined)
      return sendProblem(res, { code: 'request.route_unknown' }, context.requestId);
    try {
      await operation(req, res, context);
    } catch (error) {
      deps.logger.error({ error, requestId: context.requestId, route }, 'The request failed');
      if (res.headersSent) res.destroy();
      else sendUnavailable(res);
    }
  };
}

type Operation = (req: IncomingMessage, res: ServerResponse, context: RequestContext) => Promise<unknown>;

/** In the form of RFC 6749 section 5.2, as OAuth clients read no other. */
function sendUnavailable(res: ServerResponse): void {
  res.writeHead(503, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'retry-after': '2',
  });
  res.end(
    JSON.stringify({ error: 'temporarily_unavailable', error_description: 'the service cannot answer now' }),
  );
}
