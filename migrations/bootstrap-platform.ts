import { sql } from 'kysely';
import { postgresApiKeyStore } from '../shared/api-key/api-key-store.postgres.ts';
import { type IssuedApiKey, issueApiKey } from '../shared/api-key/index.ts';
import { type DatabasePool, type OrgTransaction, withOrg } from '../shared/db/index.ts';
import { postgresEventRecorder } from '../shared/events/event-recorder.postgres.ts';
import type { EventRecorder } from '../shared/events/index.ts';
import { type Clock, invariant, type Random, typeId } from '../shared/kernel/index.ts';
import { type Organization, platformOrganizationId } from '../shared/organization/index.ts';
import { postgresOrganizationStore } from '../shared/organization/organization-store.postgres.ts';
import { postgresDataKeyStore } from '../shared/secret/data-key-store.postgres.ts';
import { type KeyWrapper, openKeyRing } from '../shared/secret/index.ts';
import type { ServiceAccountId } from '../shared/service-account/index.ts';
import { serviceAccountId } from '../shared/service-account/index.ts';
import { postgresServiceAccountStore } from '../shared/service-account/service-account-store.postgres.ts';

/** `pool` may be of the role that owns the schema or of the functions' role: both are bound to the platform's scope. */
export type BootstrapDeps = {
  readonly pool: DatabasePool;
  readonly clock: Clock;
  readonly random: Random;
};

const actor = { type: 'system', id: 'migrate' } as const;
const operatorName = 'operator';
const bindingId = typeId('bind');

/**
 * Makes the platform's own organization, its service account `operator` and that account's role, each with its event;
 * what is there stays as it is, so it may run at every start, from several machines at once. An operator that was
 * disabled, or whose role was taken away, stays so.
 */
export async function bootstrapPlatform(deps: BootstrapDeps): Promise<{ operatorId: ServiceAccountId }> {
  const events = postgresEventRecorder({ ...deps, source: 'uos/migrate' });
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    // A second run at the same time waits here, and then finds everything made.
    await sql`select pg_advisory_xact_lock(hashtextextended('uos bootstrap', 0))`.execute(tx);
    await createPlatform(deps, events, tx);
    const existing = await postgresServiceAccountStore(deps.pool).findByName(tx, operatorName);
    if (existing !== undefined) return { operatorId: existing.id };
    const operatorId = await createOperator(deps, events, tx);
    await bindOperator(deps, events, tx, operatorId);
    return { operatorId };
  });
}

/** Issues a key of the operator. Its text is shown to whoever runs this, and kept nowhere. */
export async function issueOperatorKey(
  deps: BootstrapDeps & { readonly wrapper: KeyWrapper },
): Promise<IssuedApiKey> {
  const { operatorId } = await bootstrapPlatform(deps);
  const pepper = await openKeyRing({ ...deps, store: postgresDataKeyStore }, 'api-key-pepper');
  const events = postgresEventRecorder({ ...deps, source: 'uos/migrate' });
  const issued = await issueApiKey(
    { ...deps, store: postgresApiKeyStore(deps.pool), events, pepper },
    {
      organizationId: platformOrganizationId,
      serviceAccountId: operatorId,
      actor,
      description: 'Operator of the platform',
      environment: 'live',
    },
  );
  if (!issued.ok) throw new Error('No key was issued: the service account "operator" is disabled');
  return issued.value;
}

async function createPlatform(deps: BootstrapDeps, events: EventRecorder, tx: OrgTransaction): Promise<void> {
  const now = deps.clock.now();
  const platform: Organization = {
    id: platformOrganizationId,
    name: 'platform',
    displayName: 'Platform',
    status: 'active',
    managedBy: 'platform',
    createdAt: now,
    updatedAt: now,
  };
  if ((await postgresOrganizationStore.find(tx, platform.id)) !== undefined) return;
  const isAdded = await postgresOrganizationStore.add(tx, platform);
  invariant(isAdded, 'another organization has taken the name "platform"');
  await events.record(tx, platform.id, {
    type: 'uos.organization.created.v1',
    subject: platform.id,
    actor,
    data: { name: platform.name, managedBy: platform.managedBy },
  });
}

async function createOperator(
  deps: BootstrapDeps,
  events: EventRecorder,
  tx: OrgTransaction,
): Promise<ServiceAccountId> {
  const id = serviceAccountId.create(deps);
  const now = deps.clock.now();
  await postgresServiceAccountStore(deps.pool).add(tx, {
    organizationId: platformOrganizationId,
    id,
    name: operatorName,
    displayName: 'Operator of the platform',
    ownerTeamId: undefined,
    status: 'active',
    labels: {},
    expiresAt: undefined,
    createdBy: actor.id,
    reason: undefined,
    managedBy: 'platform',
    createdAt: now,
    updatedAt: now,
    deletedAt: undefined,
  });
  await events.record(tx, platformOrganizationId, {
    type: 'uos.service-account.created.v1',
    subject: id,
    actor,
    data: { name: operatorName, managedBy: 'platform' },
  });
  return id;
}

async function bindOperator(
  deps: BootstrapDeps,
  events: EventRecorder,
  tx: OrgTransaction,
  operatorId: ServiceAccountId,
): Promise<void> {
  const id = bindingId.create(deps);
  const now = deps.clock.now();
  const role = 'PlatformOperator';
  const stamps = { managed_by: 'api' as const, created_at: now, updated_at: now };
  await tx
    .insertInto('role_binding')
    .values({
      org_id: platformOrganizationId,
      binding_id: id,
      name: operatorName,
      role_name: role,
      subject_type: 'service_account',
      subject_id: operatorId,
      scope_type: 'organization',
      scope_id: platformOrganizationId,
      effect: 'allow',
      expires_at: null,
      ...stamps,
    })
    .execute();
  await events.record(tx, platformOrganizationId, {
    type: 'uos.role-binding.created.v1',
    subject: id,
    actor,
    data: {
      name: operatorName,
      role,
      subjectType: 'service_account',
      subjectId: operatorId,
      scopeType: 'organization',
      scopeId: platformOrganizationId,
      effect: 'allow',
    },
  });
}
