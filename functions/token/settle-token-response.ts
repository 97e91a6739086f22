import type { KoaContextWithOIDC } from 'oidc-provider';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import type { ClientAttempts } from './client-authentication.ts';
import { admitToken, tooOften } from './limit-requests.ts';
import { type RecordTokenDeps, type RefusalRecorder, recordIssuedToken } from './record-token.ts';

export type SettleDeps = RecordTokenDeps & {
  readonly refusals: RefusalRecorder;
  readonly limits: CallerLimits;
  readonly logger: Logger;
};

/**
 * Runs between the library's answer and the wire: a token leaves only when its record has been committed. A fault of
 * ours reads as "try again" (RFC 6749 section 4.1.2.1 names the code), never as a refusal of the client.
 */
export async function settleTokenResponse(
  deps: SettleDeps,
  attempts: ClientAttempts,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  if (ctx.status >= 500) return answerUnavailable(ctx);
  if (ctx.status >= 400) return recordRefusal(deps, attempts, ctx);
  const jwt: unknown = memberOf(ctx.body, 'access_token');
  if (typeof jwt !== 'string') return;
  const admission = await admitToken(deps.limits, jwt);
  if (!admission.isAdmitted) return answer(ctx, tooOften(admission.retryAfterSeconds));
  try {
    await recordIssuedToken(deps, { apiKey: attempts.requireKey(ctx), jwt });
  } catch (error) {
    deps.logger.error({ error }, 'A token was withheld because it could not be recorded');
    answerUnavailable(ctx);
  }
}

async function recordRefusal(
  deps: SettleDeps,
  attempts: ClientAttempts,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const clientId = ctx.oidc.entities.Client?.clientId;
  if (clientId === undefined) return;
  const attempt = attempts.of(ctx);
  const error: unknown = memberOf(ctx.body, 'error');
  const reason = attempt?.isProven === false ? attempt.reason : String(error ?? 'invalid_request');
  deps.logger.info({ clientId, reason }, 'Token refused');
  // Nothing is given away here, so a refusal that cannot be recorded is refused all the same.
  await deps.refusals
    .record({ clientId, reason })
    .catch((cause: unknown) => deps.logger.error({ error: cause, clientId }, 'A refusal was not recorded'));
}

function answerUnavailable(ctx: KoaContextWithOIDC): void {
  const body = { error: 'temporarily_unavailable', error_description: 'the service cannot answer now' };
  answer(ctx, { status: 503, headers: { 'retry-after': '2' }, body });
}

type Answer = { status: number; headers: Record<string, string>; body: object };

function answer(ctx: KoaContextWithOIDC, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set(headers);
  ctx.body = body;
}

function memberOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}
