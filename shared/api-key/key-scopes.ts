import { type Brand, fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';
import type { OwnerFailure, OwnerRights } from './owner-rights.ts';

export const scopesMax = 50;

/** Scopes that were held against the rights of their owner and of whoever asks for them. */
export type CheckedScopes = Brand<readonly string[], 'CheckedScopes'>;

export type ScopeFailure =
  | OwnerFailure
  /** `scopes`: those that the owner does not hold. */
  | { readonly code: 'api_key.scope_beyond_owner'; readonly scopes: readonly string[] }
  /** `scopes`: those that the caller's own credential does not reach; empty when the key would have no scopes. */
  | { readonly code: 'api_key.scope_beyond_caller'; readonly scopes: readonly string[] };

export type CheckScopesInput = {
  readonly organizationId: OrganizationId;
  readonly owner: ApiKeyOwner;
  readonly scopes: readonly string[];
  /** Of the credential that asks; absent: it is not narrowed. */
  readonly callerScopes?: readonly string[] | undefined;
};

/**
 * Scopes never add rights: at each use the owner's present rights count, and the scopes can but narrow them. So a
 * pattern (`document:*`, `*:*`) is always good. A single permission that the owner holds nowhere is a mistake that
 * would show as a refusal much later: it is refused here, and all such are named.
 */
export async function checkScopes(
  rights: OwnerRights,
  { organizationId, owner, scopes, callerScopes }: CheckScopesInput,
): Promise<Result<CheckedScopes, ScopeFailure>> {
  const reach = checkReach(scopes, callerScopes);
  if (!reach.ok) return reach;
  const single = scopes.filter((scope) => !scope.includes('*'));
  const lacking = await rights.lacking(organizationId, owner, single);
  if (!lacking.ok) return lacking;
  if (lacking.value.length > 0) return fail({ code: 'api_key.scope_beyond_owner', scopes: lacking.value });
  return ok([...new Set(scopes)] as readonly string[] as CheckedScopes);
}

/**
 * Threat: a narrowed credential that may issue or rotate keys makes itself a wider one. What a caller gets the text
 * of is never wider than what the caller has: in scopes by this, in where from and until when by `checkBounds`.
 */
export function checkReach(
  scopes: readonly string[] | undefined,
  callerScopes: readonly string[] | undefined,
): Result<true, Extract<ScopeFailure, { code: 'api_key.scope_beyond_caller' }>> {
  if (callerScopes === undefined) return ok(true);
  const beyond = (scopes ?? []).filter((scope) => !callerScopes.some((own) => includes(own, scope)));
  if (scopes !== undefined && beyond.length === 0) return ok(true);
  return scopes === undefined && callerScopes.includes('*:*')
    ? ok(true)
    : fail({ code: 'api_key.scope_beyond_caller', scopes: beyond });
}

function includes(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '*:*') return true;
  const [type, action] = wide.split(':');
  return action === '*' && narrow.startsWith(`${type}:`);
}
