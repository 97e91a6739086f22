import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { type IssueTokenDeps, issueToken, type TargetParams, targetParameters } from './issue-token.ts';
import { type ProveWorkloadDeps, proveWorkload } from './prove-workload.ts';

export type BearAssertionDeps = IssueTokenDeps & { readonly workloads: ProveWorkloadDeps };

export type AssertionParams = TargetParams & { readonly assertion?: string | undefined };
export const assertionParameters = ['assertion', ...targetParameters];

/** RFC 7523 section 2.1; whatever is wrong with the assertion is `invalid_grant` (section 3.1). */
export async function bearAssertion(
  deps: BearAssertionDeps,
  ctx: TokenEndpointGrantContext<AssertionParams>,
): Promise<void> {
  const { assertion } = ctx.oidc.params;
  if (assertion === undefined) throw new errors.InvalidRequest('assertion is required');
  const proven = await proveWorkload(deps.workloads, ctx.oidc.client.clientId, assertion);
  if (proven.ok) return issueToken(deps, ctx, proven.value);
  deps.grants.refuse(ctx, proven.failure.reason);
  throw new errors.InvalidGrant('the assertion is not accepted');
}
