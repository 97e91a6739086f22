import { addLocator, type DatabasePool, locate, type Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import type { ApiKey } from './api-key.ts';
import { apiKeyId } from './api-key-id.ts';
import type { ApiKeyStore } from './api-key-store.ts';

const columns = [
  'api_key.org_id',
  'api_key.key_id',
  'api_key.service_account_id',
  'api_key.secret_mac',
  'api_key.pepper_version',
  'api_key.last_four',
  'api_key.description',
  'api_key.status',
  'api_key.created_at',
  'api_key.created_by',
  'api_key.expires_at',
  'api_key.revoked_at',
  'api_key.revoked_by',
] as const;

export function postgresApiKeyStore(pool: DatabasePool): ApiKeyStore {
  return {
    isOwnerActive: async (tx, owner) => {
      const row = await tx
        .selectFrom('service_account')
        .select('status')
        .where('service_account_id', '=', owner)
        // Held until commit: an owner that is being disabled cannot gain a key in between.
        .forShare()
        .executeTakeFirst();
      return row?.status === 'active';
    },
    add: async (tx, key) => {
      await tx.insertInto('api_key').values(toRow(key)).execute();
      await addLocator(tx, key.id, key.organizationId);
    },
    find: async (tx, id) => {
      const row = await tx.selectFrom('api_key').select(columns).where('key_id', '=', id).executeTakeFirst();
      return row && toApiKey(row);
    },
    findForVerification: async (tx, id) => {
      const row = await tx
        .selectFrom('api_key')
        .innerJoin('service_account', (join) =>
          join
            .onRef('service_account.org_id', '=', 'api_key.org_id')
            .onRef('service_account.service_account_id', '=', 'api_key.service_account_id'),
        )
        .innerJoin('organization', 'organization.org_id', 'api_key.org_id')
        .select([
          ...columns,
          'service_account.status as owner_status',
          'organization.status as organization_status',
        ])
        .where('api_key.key_id', '=', id)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        key: toApiKey(row),
        isOwnerActive: row.owner_status === 'active' && row.organization_status === 'active',
      };
    },
    list: async (tx, page) => {
      let query = tx.selectFrom('api_key').select(columns).orderBy('key_id', 'desc').limit(page.limit);
      if (page.before !== undefined) query = query.where('key_id', '<', page.before);
      if (page.owner !== undefined) query = query.where('service_account_id', '=', page.owner);
      return (await query.execute()).map(toApiKey);
    },
    revoke: async (tx, input) => {
      const row = await tx
        .updateTable('api_key')
        .set({ status: 'revoked', revoked_at: input.at, revoked_by: input.by })
        .where('key_id', '=', input.id)
        .where('status', '=', 'active')
        .returning(columns)
        .executeTakeFirst();
      return row && toApiKey(row);
    },
    locate: async (id) => {
      const found = await locate(pool, id);
      return found === undefined ? undefined : organizationId.require(found);
    },
  };
}

function toApiKey(row: Rows.ApiKeyRow): ApiKey {
  return {
    organizationId: organizationId.require(row.org_id),
    id: apiKeyId.require(row.key_id),
    serviceAccountId: serviceAccountId.require(row.service_account_id),
    secretMac: row.secret_mac,
    pepperVersion: row.pepper_version,
    lastFour: row.last_four,
    description: row.description,
    status: row.status,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
  };
}

function toRow(key: ApiKey): Rows.ApiKeyRow {
  return {
    org_id: key.organizationId,
    key_id: key.id,
    service_account_id: key.serviceAccountId,
    secret_mac: Buffer.from(key.secretMac),
    pepper_version: key.pepperVersion,
    last_four: key.lastFour,
    description: key.description,
    status: key.status,
    created_at: key.createdAt,
    created_by: key.createdBy,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
    revoked_by: key.revokedBy ?? null,
  };
}
