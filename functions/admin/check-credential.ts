import {
  type CheckedScopes,
  type CredentialBounds,
  checkBounds,
  checkReach,
  checkScopes,
  policyOwnerRights,
} from '../../shared/api-key/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { ok, type Result } from '../../shared/kernel/index.ts';
import type { ServiceAccountId } from '../../shared/service-account/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import type { OperationContext } from './operation.ts';
import { requireFurtherPermission } from './require-further-permission.ts';

type Context = Pick<OperationContext, 'caller' | 'organization' | 'target'>;

/** What opens an account: a key or a trust rule. Without scopes it may do all that the account may. */
type Credential = { readonly account: ServiceAccountId; readonly scopes: readonly string[] | undefined };

/** Beside all that holds of one that exists: none of its single permissions is one that the account holds nowhere. */
export async function checkNewCredential(
  deps: Pick<AdminDeps, 'access'>,
  context: Context,
  { account, scopes }: Credential,
): Promise<Result<CheckedScopes | undefined, ProblemFailure>> {
  const permitted = await checkCredential(deps, context, { account, scopes });
  if (!permitted.ok || scopes === undefined) return permitted;
  const owner = { type: 'service_account', id: account } as const;
  const asked = { organizationId: context.organization.id, owner, scopes };
  const checked = await checkScopes(policyOwnerRights(deps.access), asked);
  return checked.ok ? checked : toApiKeyProblem(checked.failure);
}

/**
 * Threat: whoever may make keys makes one of an account that may more than himself. Who gets what opens an account must
 * be that account, or be allowed to act as it; and by a credential that reaches as far.
 */
export async function checkCredential(
  deps: Pick<AdminDeps, 'access'>,
  { caller, organization, target }: Context,
  { account, scopes }: Credential,
): Promise<Result<undefined, ProblemFailure>> {
  const reach = requireReach(scopes, caller);
  if (!reach.ok || (caller.type === 'service_account' && caller.id === account)) return reach;
  return requireFurtherPermission(deps, {
    caller,
    organization,
    permission: 'service_account:act_as',
    resource: { id: account, team: target.team },
  });
}

/**
 * Threat: a credential that is bound to networks, or ends, makes or revives one that is not. A trust rule has no bounds
 * of its own, hence is for those alone whose credential has none.
 */
export function requireBounds(
  bounds: CredentialBounds,
  caller: OperationContext['caller'],
): Result<undefined, ProblemFailure> {
  const checked = checkBounds(bounds, caller);
  return checked.ok ? ok(undefined) : toApiKeyProblem(checked.failure);
}

/** Threat: a narrowed credential that makes or revives a wider one. */
export function requireReach(
  scopes: readonly string[] | undefined,
  caller: OperationContext['caller'],
): Result<undefined, ProblemFailure> {
  const reach = checkReach(scopes, caller.scopes);
  return reach.ok ? ok(undefined) : toApiKeyProblem(reach.failure);
}
