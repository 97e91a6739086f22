import { BlockList, isIP } from 'node:net';
import type { BindingCondition, PolicyInput } from '../../shared/authorization/index.ts';

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
  if (input.subject.status !== 'active' || hasEnded(input, input.subject))
    return { decision: false, code: 'subject_disabled' };
  const live = input.bindings.filter((binding) => applies(input, binding, roles));
  const denials = live.filter(
    (binding) => binding.effect === 'deny' && !judgements(input, binding).includes('unmet'),
  );
  if (denials.length > 0) return { decision: false, code: 'forbidden', binding: lowest(denials) };
  const grants = live.filter((binding) => binding.effect === 'allow' && reaches(input, binding, roles));
  const usable = grants.filter((binding) => othersHold(input, binding));
  const free = usable.filter((binding) => mfaHolds(input, binding, roles));
  if (grants.length > 0 && !isIssuedFor(input)) {
    const [best = grants] = [free, usable].filter((some) => some.length > 0);
    return { decision: false, code: 'not_permitted', binding: lowest(best) };
  }
  if (free.length > 0) return { decision: true, code: 'permitted', binding: lowest(free) };
  if (usable.length > 0) return { decision: false, code: 'step_up_required', binding: lowest(usable) };
  const waiting = grants.length > 0 ? { binding: lowest(grants) } : {};
  return { decision: false, code: 'not_permitted', ...waiting };
}

/** `*` stands for the action of a type, or for everything; never for the type of an action. */
function isIssuedFor({ subject, resource, action }: PolicyInput): boolean {
  const isColonFree = !`${resource.type}${action.name}`.includes(':');
  return (subject.scopes ?? ['*:*']).some((scope) => {
    if (scope === '*:*') return true;
    const [type, name, ...more] = scope.split(':');
    if (type === '*' || more.length > 0 || !isColonFree) return false;
    return type === resource.type && (name === '*' || name === action.name);
  });
}

function hasEnded(input: PolicyInput, { expires_at: end }: { readonly expires_at?: number }): boolean {
  return end !== undefined && end <= input.now;
}

function applies(input: PolicyInput, binding: Binding, roles: RoleTable): boolean {
  if (hasEnded(input, binding)) return false;
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
  if (['signing_key', 'data_key'].includes(resource.type)) return false;
  const owner = resource.type === 'organization' ? resource.id : organization.id;
  return (
    owner === organization.id && (resource.properties.organization ?? organization.id) === organization.id
  );
}

type Judgement = 'met' | 'unmet' | 'unknown';

function judgements(input: PolicyInput, { conditions = [] }: Binding): Judgement[] {
  return conditions.map((condition) => judge(input, condition));
}

function othersHold(input: PolicyInput, { conditions = [] }: Binding): boolean {
  return conditions.every((condition) => 'mfa' in condition || judge(input, condition) === 'met');
}

function mfaHolds(input: PolicyInput, { role, conditions = [] }: Binding, roles: RoleTable): boolean {
  const ofRole: BindingCondition[] = builtIn(roles, role)?.mfa ? [{ mfa: {} }] : [];
  return [...ofRole, ...conditions].every((one) => !('mfa' in one) || judge(input, one) === 'met');
}

function judge(input: PolicyInput, condition: BindingCondition): Judgement {
  if ('mfa' in condition) return judgeMfa(input, condition.mfa);
  if ('network' in condition) return judgeNetwork(input, condition.network);
  if ('time' in condition) return judgeTime(input.now, condition.time);
  return judgeAttribute(input, condition.resource);
}

type Kind<Name extends string> =
  Extract<BindingCondition, Record<Name, unknown>> extends Record<Name, infer Body> ? Body : never;

const classes = { multi_factor: ['https://refeds.org/profile/mfa'], phishing_resistant: ['phr', 'phrh'] };

function judgeMfa({ now, context }: PolicyInput, demand: Kind<'mfa'>): Judgement {
  const stated = toRecord(context.authentication);
  const [acr, amr] = [stated['acr'], stated['amr']];
  const level = demand.level ?? 'multi_factor';
  const isShown =
    demand.acr === undefined
      ? classes[level].some((one) => one === acr) ||
        (level === 'multi_factor' && Array.isArray(amr) && amr.includes('mfa'))
      : acr === demand.acr;
  const isTold = typeof acr === 'string' || (demand.acr === undefined && Array.isArray(amr));
  const shown: Judgement = isShown ? 'met' : isTold ? 'unmet' : 'unknown';
  if (demand.max_age_seconds === undefined) return shown;
  return weakest(shown, judgeAge(now, stated['auth_time'], demand.max_age_seconds));
}

function judgeAge(now: number, at: unknown, ageMax: number): Judgement {
  if (typeof at !== 'number') return 'unknown';
  if (now > at + ageMax) return 'unmet';
  return at > now + 60 ? 'unknown' : 'met';
}

function judgeNetwork({ context }: PolicyInput, { cidrs }: Kind<'network'>): Judgement {
  const stated = toRecord(context.network)['ip'];
  if (typeof stated !== 'string') return 'unknown';
  const ip = stated.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(ip);
  if (family === 0 || /^(0:){5}ffff:|^::ffff:/i.test(ip)) return 'unknown';
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/');
    // Node counts an IPv4 address as one of ::ffff:0:0/96; here the families are strangers.
    if (isIP(address) === family)
      list.addSubnet(address, Number(prefix), isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list.check(ip, family === 4 ? 'ipv4' : 'ipv6') ? 'met' : 'unmet';
}

function judgeTime(now: number, window: Kind<'time'>): Judgement {
  const date = new Date(now * 1000);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  const {
    from_minute: from = 0,
    to_minute: to = 1440,
    not_before: start = now,
    not_after: end = now,
  } = window;
  const isOfDay = from < to ? minute >= from && minute < to : minute >= from || minute < to;
  const isOfWeek = window.weekdays?.includes(date.getUTCDay() || 7) ?? true;
  return isOfDay && isOfWeek && start <= now && now <= end ? 'met' : 'unmet';
}

function judgeAttribute({ subject, resource }: PolicyInput, rule: Kind<'resource'>): Judgement {
  const value = resource.properties[rule.attribute] ?? undefined;
  const wanted = wantedValue(subject, rule.equals) ?? undefined;
  if (value === undefined || wanted === undefined) return 'unknown';
  return value === wanted ? 'met' : 'unmet';
}

function wantedValue(subject: PolicyInput['subject'], equals: Kind<'resource'>['equals']): unknown {
  const name = /^subject\.(.*)$/.exec(String(equals))?.[1];
  if (name === undefined) return equals;
  const self = subject.acts_as ?? subject;
  if (name === 'id' || name === 'type') return self[name];
  return subject.properties?.[name];
}

function weakest(one: Judgement, other: Judgement): Judgement {
  const both = [one, other];
  return both.includes('unmet') ? 'unmet' : both.includes('unknown') ? 'unknown' : 'met';
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function builtIn(roles: RoleTable, name: string) {
  return Object.hasOwn(roles, name) ? roles[name] : undefined;
}

function lowest(bindings: readonly Binding[]): string {
  return bindings.map(({ id }) => id).sort()[0] ?? '';
}
