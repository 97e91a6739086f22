import { apiKeyId, revokeApiKey } from '../../shared/api-key/index.ts';
import { type OrgTransaction, withOrg } from '../../shared/db/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import type { BenchScene } from './bench-scene.ts';
import { idOf, keyTextOf, type OrganizationPlan } from './seed-plan.ts';
import { type HeldRight, heldFacts, heldKey } from './time-to-refusal.ts';

/** Seeded keys, the later ones of each organization: no other part of the bench asks with them. Each next in another one. */
export function createKeyVictims({ plans, keys }: BenchScene): () => HeldRight {
  const victims = (function* () {
    const rounds = Math.max(...plans.map((plan) => plan.keys));
    for (let round = 1; round < rounds; round++)
      for (const plan of plans) if (plan.keys > round) yield toVictim(plan, plan.keys - round);
  })();
  const deps = keys.deps;
  function toVictim(plan: OrganizationPlan, place: number): HeldRight {
    const subject = { type: 'service_account', id: idOf('sa', plan.place, place % plan.serviceAccounts) };
    // About itself, which anything may ask.
    return heldKey({ text: keyTextOf(plan.place, place), body: toBody(subject) }, async () => {
      const revoked = await revokeApiKey(deps, {
        organizationId: organizationId.require(idOf('org', plan.place)),
        keyId: apiKeyId.require(idOf('key', plan.place, place)),
        actor: { type: 'system', id: 'bench' },
      });
      if (!revoked.ok) throw new Error(`a seeded key was not revoked: ${revoked.failure.code}`);
    });
  }
  return () => {
    const next = victims.next();
    if (next.done) throw new Error('the seed has too few keys');
    return next.value;
  };
}

/** By the statements of a reconciliation, each of a victim of its own: a user with one binding to one role. */
const changes: Readonly<Record<FactChange, (tx: OrgTransaction, victim: Victim) => Promise<unknown>>> = {
  'binding removal': (tx, { user }) => tx.deleteFrom('role_binding').where('subject_id', '=', user).execute(),
  'member disabling': (tx, { user }) =>
    tx.updateTable('membership').set({ status: 'disabled' }).where('user_id', '=', user).execute(),
  'role change': (tx, { role }) =>
    tx.updateTable('role').set({ permissions: [] }).where('name', '=', role).execute(),
};

type Victim = { readonly user: string; readonly role: string };
export const factChanges = ['binding removal', 'member disabling', 'role change'] as const;
export type FactChange = (typeof factChanges)[number];

/**
 * More than are ever raced at once. A change makes every process forget all of an organization, so a second one there
 * would clear away what a fill that lost its race had left behind.
 */
const organizationsCount = 60;

/** As many users as asked for, in organizations that no other part of the bench asks about; each next in another one. */
export async function createFactVictims(
  { pool, keys }: BenchScene,
  count: number,
): Promise<(change: FactChange) => HeldRight> {
  const perOrganization = Math.ceil(count / organizationsCount);
  const users = Array.from({ length: perOrganization }, (_, n) => `user-${n}`);
  const organizations: ((user: string, change: FactChange) => HeldRight)[] = [];
  for (let n = 0; n < organizationsCount; n++) {
    const organization = await seedOrganization(pool, {
      users,
      serviceAccounts: ['gateway'],
      roles: Object.fromEntries(users.map((user) => [roleOf(user), ['document:read']])),
      bindings: [
        { role: 'Developer', subject: 'gateway' },
        ...users.map((user) => ({ role: roleOf(user), subject: user })),
      ],
    });
    const { text } = await keys.issue(organization, 'gateway');
    organizations.push((user, change) => {
      const id = organization.idOf(user);
      const victim = { user: id, role: roleOf(user) };
      return heldFacts({ text, body: toBody({ type: 'user', id }) }, async () => {
        await withOrg(pool, organization.organizationId, (tx) => changes[change](tx, victim));
      });
    });
  }
  let taken = 0;
  return (change) => {
    const at = taken++;
    const user = users[Math.floor(at / organizationsCount)];
    const toVictim = organizations[at % organizationsCount];
    if (user === undefined || toVictim === undefined) throw new Error('there are too few victims');
    return toVictim(user, change);
  };
}

function roleOf(user: string): string {
  return `reader-of-${user}`;
}

function toBody(subject: { readonly type: string; readonly id: string }): string {
  return JSON.stringify({ subject, action: { name: 'read' }, resource: { type: 'document', id: '1' } });
}
