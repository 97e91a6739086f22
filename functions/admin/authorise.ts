import type { Principal } from '../../shared/authentication/index.ts';
import { type PermissionFailure, requirePermission, toCaller } from '../../shared/authorization/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import {
  findOrganization,
  type Organization,
  platformOrganizationId,
} from '../../shared/organization/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import type { Operation, PreparedOperation } from './operation.ts';
import { findTarget, type Target } from './target.ts';

type AccessFailure = PermissionFailure | { readonly code: 'resource.not_found' };

/** What a request is about. */
type Subject = { readonly organization: Organization; readonly target: Target };

/**
 * Which organization, account and credential the request is about, if its caller may ask this of them. Row-level security resolves the name: a
 * tenant sees its own organization only, so another's is not found exactly as a missing one is not. The platform's
 * callers see all, hence are asked for the permission before they learn whether there is such an organization. Who holds
 * the permission for a team holds it for the accounts that the team owns, and their keys and rules.
 */
export async function authorise(
  deps: AdminDeps,
  caller: Principal,
  operation: Operation,
  request: PreparedOperation,
): Promise<Result<Subject, AccessFailure>> {
  const isOfPlatform = caller.organizationId === platformOrganizationId;
  const organization = await findOrganization(
    { pool: deps.pool, store: deps.stores.organization },
    { seenFrom: caller.organizationId, reference: request.organizationReference ?? caller.organizationId },
  );
  if (organization === undefined && !isOfPlatform) return fail({ code: 'resource.not_found' });
  const target = organization && (await findTarget(deps, organization.id, request.target));
  const permitted = await requirePermission(deps.access, {
    caller: toCaller(caller),
    ...question(caller, operation, request, { organization, team: target?.team }),
  });
  if (!permitted.ok) return permitted;
  if (organization === undefined || target === undefined) return fail({ code: 'resource.not_found' });
  return ok({ organization, target });
}

function question(
  caller: Principal,
  operation: Operation,
  request: PreparedOperation,
  { organization, team }: { organization: Organization | undefined; team: string | undefined },
) {
  const isOfTenant = caller.organizationId !== platformOrganizationId;
  const isTenantQuestion = isOfTenant && operation.tenantPermission !== undefined;
  const permission = isTenantQuestion ? operation.tenantPermission : operation.permission;
  const isNamed = request.organizationReference !== undefined || isTenantQuestion;
  const owner = isNamed ? (organization?.id ?? 'unknown') : platformOrganizationId;
  // The policy knows an organization by its id alone, and everything else by its owner.
  const id = permission.startsWith('organization:') && isNamed ? owner : request.resourceId;
  return {
    permission,
    resource: {
      ...(id === undefined ? {} : { id }),
      properties: { organization: owner, ...(team === undefined ? {} : { team }) },
    },
  };
}
