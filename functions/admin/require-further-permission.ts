import type { Principal } from '../../shared/authentication/index.ts';
import { type Permission, requirePermission, toCaller } from '../../shared/authorization/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import type { Organization } from '../../shared/organization/index.ts';
import type { AdminDeps } from './admin-deps.ts';

/** For what an operation does only when it is asked to: a permission beside the operation's own. */
export async function requireFurtherPermission(
  deps: Pick<AdminDeps, 'access'>,
  input: { caller: Principal; organization: Organization; permission: Permission },
): Promise<Result<undefined, ProblemFailure>> {
  const { caller, organization, permission } = input;
  const permitted = await requirePermission(deps.access, {
    caller: toCaller(caller),
    permission,
    resource: { properties: { organization: organization.id } },
  });
  if (permitted.ok) return ok(undefined);
  const { failure } = permitted;
  if (failure.code === 'authorization.step_up_required') return fail(failure);
  // The policy's reason is for the decision record.
  return fail({ code: failure.code, detail: failure.detail });
}
