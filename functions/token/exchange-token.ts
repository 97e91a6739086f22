import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { Result } from '../../shared/kernel/index.ts';
import { trustRuleId } from '../../shared/workload-identity/index.ts';
import type { ClientAttempts } from './client-authentication.ts';
import type { Grant } from './grant.ts';
import { tokenTypes } from './grant-types.ts';
import { type IssueTokenDeps, issueToken, type TargetParams, targetParameters } from './issue-token.ts';
import { type ProveDelegationDeps, proveDelegation } from './prove-delegation.ts';
import { type GrantRefusal, type ProveWorkloadDeps, proveWorkload } from './prove-workload.ts';

export type ExchangeTokenDeps = IssueTokenDeps & {
  readonly attempts: ClientAttempts;
  readonly workloads: ProveWorkloadDeps;
  readonly delegation: ProveDelegationDeps;
};

const ownParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
] as const;
export const exchangeParameters = [...ownParameters, ...targetParameters];
export type ExchangeParams = TargetParams & {
  readonly [name in (typeof ownParameters)[number]]?: string | undefined;
};

type Context = TokenEndpointGrantContext<ExchangeParams>;

const foreignTypes: readonly unknown[] = [tokenTypes.jwt, tokenTypes.idToken];
const ownTypes: readonly unknown[] = [tokenTypes.jwt, tokenTypes.accessToken];

/** RFC 8693 section 2. Whatever is wrong with the tokens is `invalid_request` (section 2.2.2). */
export async function exchangeToken(deps: ExchangeTokenDeps, ctx: Context): Promise<void> {
  const { requested_token_type: issuedType = tokenTypes.accessToken } = ctx.oidc.params;
  if (!ownTypes.includes(issuedType)) throw new errors.InvalidRequest('a token of this type is not issued');
  const proven = await prove(deps, ctx);
  if (!proven.ok) {
    deps.grants.refuse(ctx, proven.failure.reason);
    throw new errors.InvalidRequest('the token is not accepted');
  }
  await issueToken(deps, ctx, proven.value);
  ctx.body = { ...Object(ctx.body), issued_token_type: issuedType };
}

/** A client without a secret is a workload, whose foreign token is the proof; one with a secret asks to delegate. */
async function prove(deps: ExchangeTokenDeps, ctx: Context): Promise<Result<Grant, GrantRefusal>> {
  const { params, client } = ctx.oidc;
  const { subject_token: subjectToken, actor_token: actorToken } = params;
  if (subjectToken === undefined || params.subject_token_type === undefined)
    throw new errors.InvalidRequest('subject_token and subject_token_type are required');
  if ((actorToken === undefined) !== (params.actor_token_type === undefined))
    throw new errors.InvalidRequest('actor_token and actor_token_type go together');
  const isWorkload = trustRuleId.is(client.clientId);
  checkTypes(params, isWorkload);
  if (isWorkload) return proveWorkload(deps.workloads, client.clientId, subjectToken);
  return proveDelegation(deps.delegation, deps.attempts.requireKey(ctx), { subjectToken, actorToken });
}

function checkTypes(params: ExchangeParams, isWorkload: boolean): void {
  if (!(isWorkload ? foreignTypes : ownTypes).includes(params.subject_token_type))
    throw new errors.InvalidRequest('this client may not present a subject_token of this type');
  if (params.actor_token_type === undefined) return;
  if (isWorkload) throw new errors.InvalidRequest('a workload acts for itself: leave out the actor_token');
  if (!ownTypes.includes(params.actor_token_type))
    throw new errors.InvalidRequest('an actor_token must be an access token');
}
