import type { Principal } from '../../shared/authentication/index.ts';
import { type Permission, requirePermission, toCaller } from '../../shared/authorization/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import type { Organization } from '../../shared/organization/index.ts';
import type { AdminDeps } from './admin-deps.ts';

/** A permission beside the operation's own: for what is done only when it is asked for, or to a further thing. */
export async function requireFurtherPermission(
  deps: Pick<AdminDeps, 'access'>,
  input: {
    caller: Principal;
    organization: Organization;
    permission: Permission;
    /** Of the permission's own type; absent: asked of all in the organization. */
    resource?: { readonly id: string; readonly team: string | undefined };
  },
): Promise<Result<undefined, ProblemFailure>> {
  const { caller, organization, permission, resource } = input;
  const team = resource?.team;
  const permitted = await requirePermission(deps.access, {
    caller: toCaller(caller),
    permission,
    resource: {
      ...(resource === undefined ? {} : { id: resource.id }),
      properties: { organization: organization.id, ...(team === undefined ? {} : { team }) },
    },
  });
  if (permitted.ok) return ok(undefined);
  const { failure } = permitted;
  if (failure.code === 'authorization.step_up_required') return fail(failure);
  // The policy's reason is for the decision record.
  return fail({ code: failure.code, detail: failure.detail });
}
