import type { PolicyInput } from '../../shared/authorization/index.ts';

/**
 * The rules once more, in another language and another style, so that a slip in one of them shows as a
 * disagreement. Shares with the policy only the table of built-in roles, which is data.
 */
export type RoleTable = Readonly<
  Record<
    string,
    { readonly permissions: readonly string[]; readonly mfa?: boolean; readonly platform?: boolean }
  >
>;

export type ModelDecision = { decision: boolean; code: string; binding?: string };

const platform = 'org_00000000000000000000000000';
type Binding = PolicyInput['bindings'][number];

export function decideByModel(input: PolicyInput, roles: RoleTable): ModelDecision {
  if (!input.subject.known) return { decision: false, code: 'unknown_subject' };
  if (input.organization.status !== 'active') return { decision: false, code: 'organization_suspended' };
  if (input.subject.status !== 'active') return { decision: false, code: 'subject_disabled' };
  const live = input.bindings.filter((binding) => applies(input, binding, roles));
  const denials = live.filter(({ effect }) => effect === 'deny');
  if (denials.length > 0) return { decision: false, code: 'forbidden', binding: lowest(denials) };
  const grants = live.filter((binding) => binding.effect === 'allow' && reaches(input, binding, roles));
  const free = grants.filter(({ role }) => hasMfa(input) || !builtIn(roles, role)?.mfa);
  if (free.length > 0) return { decision: true, code: 'permitted', binding: lowest(free) };
  if (grants.length > 0) return { decision: false, code: 'step_up_required', binding: lowest(grants) };
  return { decision: false, code: 'not_permitted' };
}

function applies(input: PolicyInput, binding: Binding, roles: RoleTable): boolean {
  if (binding.expires_at !== undefined && binding.expires_at <= input.now) return false;
  const names = builtIn(roles, binding.role)?.permissions ?? binding.permissions;
  return names.some((name) => isNamed(name, input)) && isInScope(input, binding.scope);
}

function isNamed(permission: string, { resource, action }: PolicyInput): boolean {
  const [type, name] = permission.split(':');
  return (type === '*' || type === resource.type) && (name === '*' || name === action.name);
}

function isInScope({ organization, resource }: PolicyInput, scope: Binding['scope']): boolean {
  switch (scope.type) {
    case 'organization':
      return scope.id === organization.id;
    case 'team': {
      const team = resource.type === 'team' ? resource.id : resource.properties.team;
      return [scope.id, ...scope.descendants].some((id) => id === team);
    }
    case 'resource': {
      const [type, ...rest] = scope.id.split(':');
      return type === resource.type && rest.join(':') === resource.id;
    }
  }
}

function reaches(
  { organization, resource, action }: PolicyInput,
  { role }: Binding,
  roles: RoleTable,
): boolean {
  if (builtIn(roles, role)?.platform) return organization.id === platform;
  if (resource.type === 'organization' && ['create', 'list'].includes(action.name)) return false;
  if (resource.type === 'signing_key') return false;
  const owner = resource.type === 'organization' ? resource.id : organization.id;
  return (
    owner === organization.id && (resource.properties.organization ?? organization.id) === organization.id
  );
}

function hasMfa({ context }: PolicyInput): boolean {
  const text = JSON.stringify(context);
  return text.includes('"mfa"') || text.includes('"https://refeds.org/profile/mfa"');
}

function builtIn(roles: RoleTable, name: string) {
  return Object.hasOwn(roles, name) ? roles[name] : undefined;
}

function lowest(bindings: readonly Binding[]): string {
  return bindings.map(({ id }) => id).sort()[0] ?? '';
}
