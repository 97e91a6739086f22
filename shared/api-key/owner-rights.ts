import { type EvaluateAccessDeps, evaluateAccess, type SubjectFacts } from '../authorization/index.ts';
import { fail, ok, type Result, toNumericDate } from '../kernel/index.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';

/** What an owner holds now. */
export type OwnerRights = {
  /**
   * Which of these permissions (`<type>:<action>`, no wildcard) the owner holds nowhere in its organization, in the
   * order given. Fails when there is no such owner, or it is not active or has expired; and when nobody of the
   * organization holds anything. Throws when nothing could be decided.
   */
  lacking(
    organizationId: string,
    owner: ApiKeyOwner,
    permissions: readonly string[],
  ): Promise<Result<readonly string[], OwnerFailure>>;
};

export type OwnerFailure =
  | { readonly code: 'api_key.owner_not_found' }
  | { readonly code: 'api_key.organization_suspended' };

/**
 * Asks the policy, of facts in which each grant reaches everywhere and without conditions: whether the owner holds a
 * permission somewhere, sometimes. Of the denials only those count that hold everywhere and always.
 */
export function policyOwnerRights(deps: EvaluateAccessDeps): OwnerRights {
  return {
    lacking: async (organizationId, owner, permissions) => {
      const facts = await deps.facts.find(organizationId, owner);
      if (!isActive(facts, toNumericDate(deps.clock.now()))) return fail({ code: 'api_key.owner_not_found' });
      if (facts.organization.status !== 'active') return fail({ code: 'api_key.organization_suspended' });
      const held = await Promise.all(
        permissions.map((permission) => isHeld(deps, { organizationId, owner, facts, permission })),
      );
      return ok(permissions.filter((_, place) => held[place] === false));
    },
  };
}

function isActive({ subject }: SubjectFacts, now: number): boolean {
  if (!subject.known || subject.status !== 'active') return false;
  return subject.expires_at === undefined || now < subject.expires_at;
}

type Asked = {
  readonly organizationId: string;
  readonly owner: ApiKeyOwner;
  readonly facts: SubjectFacts;
  readonly permission: string;
};

async function isHeld(deps: EvaluateAccessDeps, asked: Asked): Promise<boolean> {
  const [type = '', name = ''] = asked.permission.split(':');
  const lifted = { find: async () => liftGrants(asked.facts, type) };
  const decision = await evaluateAccess(
    { ...deps, facts: lifted },
    {
      organizationId: asked.organizationId,
      request: {
        subject: { ...asked.owner, properties: undefined },
        action: { name, properties: undefined },
        resource: toResource(asked.organizationId, type),
        context: undefined,
      },
    },
  );
  if (decision.code === 'error') {
    throw new Error(`Whether the owner holds "${asked.permission}" was not decided`, {
      cause: decision.cause,
    });
  }
  // Held, with a second factor that a key never has: such a scope opens nothing, which is no reason to refuse it.
  return decision.decision || decision.code === 'step_up_required';
}

/** The policy knows an organization by its id alone, and everything else by its owner. */
function toResource(organization: string, type: string) {
  return { type, id: type === 'organization' ? organization : '*', properties: { organization } };
}

function liftGrants({ resource: _, ...facts }: SubjectFacts, type: string): SubjectFacts {
  const everywhere = { type: 'organization', id: facts.organization.id } as const;
  const bindings = facts.bindings.flatMap(({ conditions, ...binding }) => {
    const { scope } = binding;
    if (binding.effect === 'deny') return scope.type === 'organization' && !conditions ? [binding] : [];
    if (scope.type === 'resource' && !scope.id.startsWith(`${type}:`)) return [];
    return [{ ...binding, scope: everywhere }];
  });
  return { ...facts, bindings, resourceTypes: [] };
}
