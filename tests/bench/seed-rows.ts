import { apiKeyId, sealSecret } from '../../shared/api-key/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import {
  idOf,
  isInGroup,
  keyTextOf,
  type OrganizationPlan,
  ownerPlaceOf,
  type PlannedBinding,
  teamsOfUser,
} from './seed-plan.ts';
import type { Cell, SeedTableName } from './seed-tables.ts';

export type SeedRows = Record<SeedTableName, Cell[][]>;

const longAgo = new Date('2020-01-01T00:00:00Z');

/** The rows of one organization, added to those of others; cells in the order of `seedTables`. */
export async function addRows(rows: SeedRows, plan: OrganizationPlan, pepper: KeyRing): Promise<void> {
  const { place } = plan;
  const org = idOf('org', place);
  const id = (kind: 'usr' | 'team' | 'sa' | 'role' | 'bind', n: number) => idOf(kind, place, n);
  const name = `organization-${place + 1}`;
  rows.organization.push([org, name, name]);
  rows.authorization_revision.push([org]);
  const teams = plan.parents.map((_, n) => id('team', n));
  plan.parents.forEach((parent, n) => {
    rows.team.push([
      org,
      teams[n] ?? '',
      `team-${n}`,
      `Team ${n}`,
      parent === undefined ? null : (teams[parent] ?? ''),
    ]);
  });
  for (let n = 0; n < plan.users; n++) {
    const user = id('usr', n);
    rows.membership.push([org, user, `user-${n}`, `user-${n}@${name}.example.test`, `User ${n}`]);
    for (const team of teamsOfUser(plan, n)) rows.team_member.push([org, teams[team] ?? '', user]);
  }
  addGroup(rows, plan, org);
  Object.entries(plan.roles).forEach(([role, permissions], n) => {
    rows.role.push([org, id('role', n), role, role, permissions.join(' ')]);
  });
  plan.bindings.forEach((binding, n) => {
    rows.role_binding.push([org, id('bind', n), `binding-${n}`, ...bindingCells(binding, place, org)]);
  });
  await addMachines(rows, plan, org, pepper);
}

function addGroup(rows: SeedRows, plan: OrganizationPlan, org: string): void {
  const { place, users } = plan;
  const owner = ownerPlaceOf(plan);
  if (owner === undefined) return;
  const group = idOf('group', place);
  rows.user_group.push([org, group, 'on-duty', 'On duty']);
  for (let n = 0; n < users; n++)
    if (isInGroup(n)) rows.group_member.push([org, group, idOf('usr', place, n)]);
  rows.resource_type.push([org, 'ticket', 'read list write delete']);
  rows.resource.push([org, 'ticket', '1', idOf('usr', place, owner)]);
}

const conditions = {
  mfa: [{ mfa: {} }],
  owner: [{ resource: { attribute: 'owner', equals: 'subject.id' } }],
};

function bindingCells(
  { role, subject, scope, effect, isExpired, condition }: PlannedBinding,
  place: number,
  org: string,
): Cell[] {
  const kind = ({ user: 'usr', team: 'team', group: 'group', service_account: 'sa' } as const)[subject.type];
  const scopeId =
    scope.type === 'organization' ? org : scope.type === 'team' ? idOf('team', place, scope.place) : scope.id;
  const bound = [subject.type, idOf(kind, place, subject.place), scope.type, scopeId];
  const demands = JSON.stringify(condition === undefined ? [] : conditions[condition]);
  return [role, ...bound, effect, isExpired ? longAgo : null, demands];
}

async function addMachines(
  rows: SeedRows,
  plan: OrganizationPlan,
  org: string,
  pepper: KeyRing,
): Promise<void> {
  const accounts = Array.from({ length: plan.serviceAccounts }, (_, n) => idOf('sa', plan.place, n));
  accounts.forEach((account, n) => {
    rows.service_account.push([org, account, n === 0 ? 'gateway' : `machine-${n}`, `Machine ${n}`]);
    rows.locator.push([account, org]);
  });
  for (let n = 0; n < plan.keys; n++) {
    const text = keyTextOf(plan.place, n);
    const id = idOf('key', plan.place, n);
    const owner = accounts[n % accounts.length] ?? '';
    const { box, keyVersion } = await sealSecret(pepper, apiKeyId.require(id), text);
    rows.api_key.push([org, id, owner, text.slice(-4), 'seed', Buffer.from(box), keyVersion]);
    rows.locator.push([id, org]);
  }
}
