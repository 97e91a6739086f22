import { type OrganizationPlan, type PlannedBinding, teamsOfUser } from './seed-plan.ts';

/** A question about seeded data, by places. `document` belongs to `team`. */
export type Asked = {
  readonly subject: number | 'machine' | 'stranger';
  readonly type: 'document' | 'invoice';
  readonly action: 'read' | 'list' | 'write' | 'delete';
  readonly id: string;
  readonly team: number;
  readonly mfa: boolean;
};

/** The rules of the seed in plain words, sharing nothing with the policy, so that both cannot be wrong alike. */
export function isAllowed(plan: OrganizationPlan, asked: Asked): boolean {
  if (typeof asked.subject !== 'number') return false;
  const bindings = bindingsOf(plan, asked.subject).filter(
    (binding) => !binding.isExpired && isNamed(plan, binding, asked) && isWithin(plan, binding, asked),
  );
  if (bindings.some(({ effect }) => effect === 'deny')) return false;
  return bindings.some(({ role }) => role !== 'OrgOwner' || asked.mfa);
}

/** A user holds what is bound to itself, to its teams and to every team above one of them. */
export function bindingsOf(plan: OrganizationPlan, user: number): PlannedBinding[] {
  const teams = new Set<number>();
  for (const own of teamsOfUser(plan, user)) for (const team of upwards(plan, own)) teams.add(team);
  return plan.bindings.filter(({ subject }) =>
    subject.type === 'team' ? teams.has(subject.place) : subject.type === 'user' && subject.place === user,
  );
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
  return upwards(plan, team).includes(scope.place);
}

function upwards({ parents }: OrganizationPlan, team: number): number[] {
  const above: number[] = [];
  for (let at: number | undefined = team; at !== undefined; at = parents[at]) above.push(at);
  return above;
}
