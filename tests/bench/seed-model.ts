import {
  isInGroup,
  type OrganizationPlan,
  ownerPlaceOf,
  type PlannedBinding,
  teamsOfUser,
} from './seed-plan.ts';

/** A question about seeded data, by places. `document` belongs to `team`. */
export type Asked = {
  /** A user by its place; the second service account, or a key of it; nobody. */
  readonly subject: number | 'machine' | 'machine key' | 'stranger';
  readonly type: 'document' | 'invoice' | 'ticket';
  readonly action: 'read' | 'list' | 'write' | 'delete';
  readonly id: string;
  readonly team: number;
  readonly mfa: boolean;
};

/** The rules of the seed in plain words, sharing nothing with the policy, so that both cannot be wrong alike. */
export function isAllowed(plan: OrganizationPlan, asked: Asked): boolean {
  const bindings = bindingsOf(plan, asked.subject).filter(
    (binding) =>
      !binding.isExpired &&
      isNamed(plan, binding, asked) &&
      isWithin(plan, binding, asked) &&
      isMet(plan, binding, asked),
  );
  if (bindings.some(({ effect }) => effect === 'deny')) return false;
  return bindings.some(({ role }) => role !== 'OrgOwner' || asked.mfa);
}

/** A user holds what is bound to itself, to its group, to its teams and to every team above one of them. */
export function bindingsOf(plan: OrganizationPlan, user: Asked['subject']): PlannedBinding[] {
  if (user === 'stranger') return [];
  if (typeof user !== 'number') {
    return plan.bindings.filter(({ subject }) => subject.type === 'service_account' && subject.place === 1);
  }
  const teams = new Set<number>();
  for (const own of teamsOfUser(plan, user)) for (const team of upwards(plan, own)) teams.add(team);
  return plan.bindings.filter(({ subject }) => {
    if (subject.type === 'team') return teams.has(subject.place);
    return subject.type === 'group' ? isInGroup(user) : subject.type === 'user' && subject.place === user;
  });
}

function isMet(plan: OrganizationPlan, { condition }: PlannedBinding, asked: Asked): boolean {
  if (condition === 'mfa') return asked.mfa;
  if (condition === undefined) return true;
  return asked.type === 'ticket' && asked.id === '1' && asked.subject === ownerPlaceOf(plan);
}

function isNamed(plan: OrganizationPlan, { role }: PlannedBinding, { type, action }: Asked): boolean {
  if (role === 'OrgOwner') return true;
  const permissions = plan.roles[role] ?? [];
  return permissions.includes(`${type}:${action}`) || permissions.includes(`${type}:*`);
}

/** A team's scope holds what belongs to the team or to one below it. */
function isWithin(plan: OrganizationPlan, { scope }: PlannedBinding, { type, id, team }: Asked): boolean {
  if (scope.type === 'organization') return true;
  if (scope.type === 'resource') return scope.id === `${type}:${id}`;
  // What is registered is in the team it is registered in: that one, in none.
  if (type === 'ticket' && id === '1' && ownerPlaceOf(plan) !== undefined) return false;
  return upwards(plan, team).includes(scope.place);
}

function upwards({ parents }: OrganizationPlan, team: number): number[] {
  const above: number[] = [];
  for (let at: number | undefined = team; at !== undefined; at = parents[at]) above.push(at);
  return above;
}
