import type { OrgTransaction } from '../db/index.ts';
import { gitSourceId } from '../git-source/index.ts';
import { invariant } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import type { Claimed, SourceStatusStore } from './source-status-store.ts';

export const postgresSourceStatusStore: SourceStatusStore = {
  saveStatus: async (tx, sourceId, { observedCommit, appliedCommit, conditions, at }) => {
    await tx
      .updateTable('git_source')
      .set({
        ...(observedCommit === undefined ? {} : { observed_commit: observedCommit }),
        ...(appliedCommit === undefined ? {} : { applied_commit: appliedCommit }),
        conditions: JSON.stringify(conditions),
        updated_at: at,
      })
      .where('source_id', '=', sourceId)
      .execute();
  },
  listClaims: async (tx, sourceId) => {
    const rows = await tx
      .selectFrom('git_source_organization')
      .select(['name', 'org_id', 'applied_tree_oid'])
      .where('source_id', '=', sourceId)
      .orderBy('name')
      .execute();
    return rows.map((row) => ({
      name: row.name,
      organizationId: organizationId.require(row.org_id),
      appliedTreeOid: row.applied_tree_oid ?? undefined,
    }));
  },
  findClaim,
  claim: async (tx, input) => {
    await tx
      .insertInto('git_source_organization')
      .values({ source_id: input.sourceId, name: input.name, org_id: input.organizationId })
      // Of any index: two that meet may find each other in that of the primary key before that of the name.
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    // Another run may have been faster; under READ COMMITTED this statement sees what the insert met.
    const standing = await findClaim(tx, input.name);
    invariant(standing, `nobody has claimed "${input.name}"`);
    return standing;
  },
  findOrganizationId: async (tx, name) => {
    const row = await tx
      .selectFrom('organization')
      .select('org_id')
      .where('name', '=', name)
      .executeTakeFirst();
    return row && organizationId.require(row.org_id);
  },
  setAppliedTree: async (tx, { sourceId, name, treeOid }) => {
    await tx
      .updateTable('git_source_organization')
      .set({ applied_tree_oid: treeOid })
      .where('source_id', '=', sourceId)
      .where('name', '=', name)
      .execute();
  },
  acceptDelivery: async (tx, { sourceId, deliveryId, at }) => {
    const accepted = await tx
      .insertInto('webhook_delivery')
      .values({ source_id: sourceId, delivery_id: deliveryId, received_at: at })
      .onConflict((conflict) => conflict.columns(['source_id', 'delivery_id']).doNothing())
      .returning('delivery_id')
      .executeTakeFirst();
    return accepted !== undefined;
  },
  forgetDeliveries: async (tx, before) => {
    await tx.deleteFrom('webhook_delivery').where('received_at', '<', before).execute();
  },
};

async function findClaim(tx: OrgTransaction, name: string): Promise<Claimed | undefined> {
  const row = await tx
    .selectFrom('git_source_organization')
    .select(['source_id', 'org_id'])
    .where('name', '=', name)
    .executeTakeFirst();
  return (
    row && {
      sourceId: gitSourceId.require(row.source_id),
      organizationId: organizationId.require(row.org_id),
    }
  );
}
