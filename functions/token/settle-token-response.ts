import type { KoaContextWithOIDC } from 'oidc-provider';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import type { ClientAttempts } from './client-authentication.ts';
import type { Grants } from './grant.ts';
import { grantTypes } from './grant-types.ts';
import { isKeysUnavailable, toTrailReason } from './keys-unavailable.ts';
import { admitRefusal, admitToken, tooOften } from './limit-requests.ts';
import { type RecordTokenDeps, type RefusalRecorder, recordIssuedToken } from './record-token.ts';

export type SettleDeps = RecordTokenDeps & {
  readonly refusals: RefusalRecorder;
  readonly limits: CallerLimits;
  readonly logger: Logger;
};

/** What is known of requests under way. */
export type Held = { readonly attempts: ClientAttempts; readonly grants: Grants };

/**
 * Runs between the library's answer and the wire: a token leaves only when its record has been committed. A fault of
 * ours reads as "try again" (RFC 6749 section 4.1.2.1 names the code), never as a refusal of the client.
 */
export async function settleTokenResponse(
  deps: SettleDeps,
  held: Held,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  if (ctx.status >= 500) return answerUnavailable(ctx);
  if (ctx.status >= 400) return settleRefusal(deps, held, ctx);
  const jwt: unknown = memberOf(ctx.body, 'access_token');
  const grant = held.grants.of(ctx);
  if (typeof jwt !== 'string' || grant === undefined) return answerUnavailable(ctx);
  const admission = await admitToken(deps.limits, jwt);
  if (!admission.isAdmitted) return answer(ctx, tooOften(admission.retryAfterSeconds));
  try {
    const recorded = await recordIssuedToken(deps, { grant, jwt });
    if (recorded.ok) return stateScope(ctx, grant.scopes);
    held.grants.refuse(ctx, 'already_used');
    answer(ctx, alreadyUsed(ctx.oidc.params?.['grant_type']));
    await recordRefusal(deps, held, ctx);
  } catch (error) {
    deps.logger.error({ error }, 'A token was withheld because it could not be recorded');
    answerUnavailable(ctx);
  }
}

/** RFC 6749 section 5.1: what is granted is said, whatever was asked for. */
function stateScope(ctx: KoaContextWithOIDC, scopes: readonly string[] | undefined): void {
  if (scopes !== undefined) ctx.body = { ...Object(ctx.body), scope: scopes.join(' ') };
}

/** As every other fault of the token presented: RFC 8693 section 2.2.2, RFC 7523 section 3.1. */
function alreadyUsed(grantType: unknown): Answer {
  const body =
    grantType === grantTypes.jwtBearer
      ? { error: 'invalid_grant', error_description: 'grant request is invalid' }
      : { error: 'invalid_request', error_description: 'the token is not accepted' };
  return { status: 400, headers: {}, body };
}

async function settleRefusal(deps: SettleDeps, held: Held, ctx: KoaContextWithOIDC): Promise<void> {
  if (isGrantOfOthers(ctx)) ctx.body = { ...Object(ctx.body), error: 'unauthorized_client' };
  await recordRefusal(deps, held, ctx);
  // Nothing is wrong with the token that anybody knows of: its issuer could not be asked.
  if (isKeysUnavailable(held.grants.refusalOf(ctx))) return answerUnavailable(ctx);
  const attempt = held.attempts.of(ctx);
  if (!attempt?.isProven) return;
  const admission = await admitRefusal(deps.limits, attempt.apiKey);
  if (!admission.isAdmitted) answer(ctx, tooOften(admission.retryAfterSeconds));
}

/** RFC 6749 section 5.2 has a word for it, where the library says `invalid_request`. */
function isGrantOfOthers(ctx: KoaContextWithOIDC): boolean {
  const grantType = ctx.oidc.params?.['grant_type'];
  const { Client: client } = ctx.oidc.entities;
  if (client === undefined || typeof grantType !== 'string') return false;
  return memberOf(ctx.body, 'error') === 'invalid_request' && !client.grantTypeAllowed(grantType);
}

async function recordRefusal(
  deps: SettleDeps,
  { attempts, grants }: Held,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const clientId = ctx.oidc.entities.Client?.clientId;
  if (clientId === undefined) return;
  const attempt = attempts.of(ctx);
  const error: unknown = memberOf(ctx.body, 'error');
  const known = attempt?.isProven === false ? attempt.reason : grants.refusalOf(ctx);
  const reason = known ?? String(error ?? 'invalid_request');
  deps.logger.info({ clientId, reason }, 'Token refused');
  // Nothing is given away here, so a refusal that cannot be recorded is refused all the same.
  await deps.refusals
    .record({ clientId, reason: toTrailReason(reason) })
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
