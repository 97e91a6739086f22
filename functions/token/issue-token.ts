import { errors, type ResourceServer, type TokenEndpointGrantContext } from 'oidc-provider';
import { type Clock, toNumericDate } from '../../shared/kernel/index.ts';
import { accessTokenTtlSeconds } from '../../shared/token/index.ts';
import type { Grant, Grants } from './grant.ts';
import { narrowScope } from './narrow-scope.ts';

export type IssueTokenDeps = {
  readonly grants: Grants;
  /** The one that tokens are for, as the library knows it. */
  readonly resourceServer: ResourceServer & { readonly audience: string };
  readonly clock: Clock;
};

/** What both grants may ask of the token. */
export type TargetParams = {
  readonly resource?: string | undefined;
  readonly audience?: string | undefined;
  readonly scope?: string | undefined;
};
export const targetParameters = ['resource', 'audience', 'scope'];

/** Answers with a token for what was proven, narrowed to what was asked for. */
export async function issueToken(
  deps: IssueTokenDeps,
  ctx: TokenEndpointGrantContext<TargetParams>,
  proven: Grant,
): Promise<void> {
  const { provider, client, params } = ctx.oidc;
  const { resourceServer } = deps;
  checkTarget(resourceServer.audience, params);
  const grant = { ...proven, scopes: narrowScope(proven.scopes, params.scope) };
  deps.grants.set(ctx, grant);
  const expiresIn = lifetimeOf(deps, grant);
  const token = new provider.AccessToken({
    client,
    accountId: grant.subject,
    // What the library could revoke by it is not kept: see shared/authentication/prove-access-token.ts.
    grantId: '',
    gty: params.grant_type,
    expiresIn,
    resourceServer: new provider.ResourceServer(resourceServer.audience, resourceServer),
  });
  const jwt = await token.save();
  ctx.body = { access_token: jwt, token_type: token.tokenType, expires_in: expiresIn };
}

/** At most five minutes, and no longer than what was presented would still be taken. */
function lifetimeOf({ clock }: IssueTokenDeps, { goodUntil }: Grant): number {
  if (goodUntil === undefined) return accessTokenTtlSeconds;
  const left = toNumericDate(goodUntil) - toNumericDate(clock.now());
  return Math.max(1, Math.min(accessTokenTtlSeconds, left));
}

/** One resource there is, by either name (RFC 8693 section 2.1). */
function checkTarget(audience: string, { resource, audience: named }: TargetParams): void {
  for (const asked of [resource, named])
    if (asked !== undefined && asked !== audience) throw new errors.InvalidTarget();
}
