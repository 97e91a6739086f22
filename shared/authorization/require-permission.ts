import { fail, ok, type Result } from '../kernel/index.ts';
import { type CredentialHolder, narrowToCredential } from './credential-scope.ts';
import type { Decision, Obligation } from './decision.ts';
import { type EvaluateAccessDeps, evaluateAccess } from './evaluate-access.ts';
import type { Permission } from './permission.ts';
import type { Attributes, Authentication, SubjectReference } from './policy-input.ts';

/** Who calls one of our own functions, as its credential proved. */
export type Caller = {
  readonly organizationId: string;
  readonly subject: SubjectReference;
  /** From the verified credential; absent for an API key, which never counts as a second factor. */
  readonly authentication?: Authentication;
  /** What the credential was issued for: outside it the caller has no permission. Absent means not narrowed. */
  readonly scopes?: readonly string[];
};

/** The caller that a credential proved, with what it was issued for. */
export function toCaller({ organizationId, type, id, scopes }: CredentialHolder): Caller {
  return { organizationId, subject: { type, id }, ...(scopes === undefined ? {} : { scopes }) };
}

export type PermissionTarget = {
  /** Absent for a collection, or for a thing that does not exist yet. */
  readonly id?: string;
  /** `organization` (the owner, when it may differ from the caller's) and `team` are what the policy reads. */
  readonly properties?: Attributes;
};

/** Evidence that the policy was asked and agreed, to be kept with the change it permits. */
export type Permit = {
  readonly caller: Caller;
  readonly permission: Permission;
  readonly decision: Decision;
};

/** Every member is public. */
export type PermissionFailure =
  | { readonly code: 'authorization.not_permitted'; readonly detail: string; readonly reason: string }
  | {
      readonly code: 'authorization.step_up_required';
      readonly detail: string;
      readonly obligations: readonly Obligation[];
    };

/**
 * Asks the policy whether the caller holds a permission on a resource of the permission's own type. The question is
 * asked in the caller's organization; the policy lets only platform operators reach into another. Throws when nothing
 * could be decided, so that a broken service is not taken for a missing right.
 */
export async function requirePermission(
  deps: EvaluateAccessDeps,
  input: { caller: Caller; permission: Permission; resource?: PermissionTarget },
): Promise<Result<Permit, PermissionFailure>> {
  const { caller, permission } = input;
  const facts = narrowToCredential(deps.facts, { ...caller, ...caller.subject });
  const decision = await evaluateAccess(
    { ...deps, facts },
    {
      organizationId: caller.organizationId,
      request: toRequest(caller, permission, input.resource ?? {}),
    },
  );
  if (decision.decision) return ok({ caller, permission, decision });
  return fail(toFailure(permission, decision));
}

function toRequest(caller: Caller, permission: Permission, resource: PermissionTarget) {
  const [type = '', name = ''] = permission.split(':');
  const { authentication } = caller;
  return {
    subject: { type: caller.subject.type, id: caller.subject.id, properties: undefined },
    action: { name, properties: undefined },
    resource: { type, id: resource.id ?? '*', properties: resource.properties },
    context: authentication === undefined ? undefined : { authentication },
  };
}

function toFailure(permission: Permission, decision: Decision): PermissionFailure {
  if (decision.code === 'error') {
    throw new Error(`Whether the caller holds "${permission}" was not decided`, { cause: decision.cause });
  }
  if (decision.code === 'step_up_required') {
    const detail = `The permission "${permission}" needs multi-factor authentication`;
    return { code: 'authorization.step_up_required', detail, obligations: decision.obligations ?? [] };
  }
  const detail =
    decision.rule === 'outside_credential_scope'
      ? `The scopes of the credential do not include "${permission}"`
      : `The caller lacks the permission "${permission}"`;
  return { code: 'authorization.not_permitted', detail, reason: decision.code };
}
