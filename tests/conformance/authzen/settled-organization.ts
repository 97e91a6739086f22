import { type OrgTransaction, withOrg } from '../../../shared/db/index.ts';
import type { AuthorizeWorld } from '../../support/authorize-instance.ts';
import { type SeededOrganization, seedOrganization } from '../../support/seed-organization.ts';
import { type DrawnKey, type DrawnResource, type RandomOrganization, users } from './random-organization.ts';

export type SettledOrganization = SeededOrganization & {
  /** Of the drawn keys, in their order. */
  readonly keyIds: readonly string[];
  /** The key of `caller`, and its text. */
  readonly gateway: { readonly id: string; readonly text: string };
};

export const fixedRoles = { asker: ['authorization:evaluate'] };
const stamps = { managed_by: 'api' as const, created_at: new Date(), updated_at: new Date() };

/** Writes a random organization down, with its resources and keys; who is disabled is so last. */
export async function settle(
  { pool, keys }: AuthorizeWorld,
  organization: RandomOrganization,
): Promise<SettledOrganization> {
  const { seed, types, resources } = organization;
  const seeded = await seedOrganization(pool, { ...seed, roles: { ...seed.roles, ...fixedRoles } });
  const gateway = await keys.issue(seeded, 'caller');
  const keyIds: string[] = [];
  for (const _ of organization.keys) keyIds.push((await keys.issue(seeded, 'robot')).key.id);
  await withOrg(pool, seeded.organizationId, async (tx) => {
    await tx.insertInto('resource_type').values(toTypeRows(seeded, types)).execute();
    if (resources.length > 0) {
      const rows = resources.map((resource) => toResourceRow(seeded, resource));
      await tx.insertInto('resource').values(rows).execute();
    }
    for (const [place, key] of organization.keys.entries())
      await tx
        .updateTable('api_key')
        .set(toKeyColumns(seeded, key))
        .where('key_id', '=', keyIds[place] ?? '')
        .execute();
    await disable(tx, seeded, organization);
  });
  return { ...seeded, keyIds, gateway: { id: gateway.key.id, text: gateway.text } };
}

async function disable(
  tx: OrgTransaction,
  { idOf }: SeededOrganization,
  { disabled, robotEnds }: RandomOrganization,
): Promise<void> {
  const status = 'disabled' as const;
  for (const name of disabled) {
    const isUser = users.includes(name);
    if (isUser)
      await tx.updateTable('membership').set({ status }).where('user_id', '=', idOf(name)).execute();
    else
      await tx
        .updateTable('service_account')
        .set({ status })
        .where('service_account_id', '=', idOf(name))
        .execute();
  }
  if (robotEnds !== undefined)
    await tx
      .updateTable('service_account')
      .set({ expires_at: robotEnds })
      .where('service_account_id', '=', idOf('robot'))
      .execute();
}

function toTypeRows({ organizationId }: SeededOrganization, types: RandomOrganization['types']) {
  return Object.entries(types).map(([name, actions]) => ({
    org_id: organizationId,
    name,
    description: name,
    actions: [...actions],
    ...stamps,
  }));
}

function toResourceRow({ organizationId, idOf }: SeededOrganization, resource: DrawnResource) {
  const { type, id, team, owner, attributes } = resource;
  return {
    org_id: organizationId,
    resource_type: type,
    resource_id: id,
    team_id: team === undefined ? null : idOf(team),
    owner: owner === undefined ? null : idOf(owner),
    attributes: JSON.stringify(attributes),
    ...stamps,
  };
}

/** Over those of the robot's key that it was issued as. */
function toKeyColumns({ idOf }: SeededOrganization, { owner, status, scopes, expiresAt }: DrawnKey) {
  const isPersonal = users.includes(owner);
  return {
    service_account_id: isPersonal ? null : idOf(owner),
    user_id: isPersonal ? idOf(owner) : null,
    status,
    scopes: scopes === undefined ? null : [...scopes],
    expires_at: expiresAt ?? null,
  };
}
