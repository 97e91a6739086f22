import type { Insertable, Selectable } from 'kysely';
import { addLocator, type DatabasePool, locate, type Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import { apiKeyId } from './api-key-id.ts';
import type { SealedSecret } from './api-key-secret.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { findForVerification, toOwner } from './verify-api-key.postgres.ts';

/** No secret among them. */
const columns = [
  'org_id',
  'key_id',
  'service_account_id',
  'user_id',
  'last_four',
  'description',
  'reason',
  'labels',
  'scopes',
  'allowed_networks',
  'status',
  'created_at',
  'created_by',
  'expires_at',
  'last_used_at',
  'previous_secret_until',
  'disabled_at',
  'disabled_by',
  'revoked_at',
  'revoked_by',
] as const;

type Row = Pick<Selectable<Rows.ApiKeyRow>, (typeof columns)[number]>;

export function postgresApiKeyStore(pool: DatabasePool): ApiKeyStore {
  return {
    isOwnerActive: async (tx, owner) => {
      // Held until commit: an owner that is being disabled cannot gain a key in between.
      const row =
        owner.type === 'user'
          ? await tx
              .selectFrom('membership')
              .select('status')
              .where('user_id', '=', owner.id)
              .forShare()
              .executeTakeFirst()
          : await tx
              .selectFrom('service_account')
              .select('status')
              .where('service_account_id', '=', owner.id)
              .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', eb.fn<Date>('now'))]))
              .forShare()
              .executeTakeFirst();
      return row?.status === 'active';
    },
    add: async (tx, key, secret) => {
      await tx.insertInto('api_key').values(toRow(key, secret)).execute();
      await addLocator(tx, key.id, key.organizationId);
    },
    find: async (tx, id) => {
      const row = await tx.selectFrom('api_key').select(columns).where('key_id', '=', id).executeTakeFirst();
      return row && toApiKey(row);
    },
    list: async (tx, page) => {
      let query = tx.selectFrom('api_key').select(columns).orderBy('key_id', 'desc').limit(page.limit);
      if (page.before !== undefined) query = query.where('key_id', '<', page.before);
      if (page.owner !== undefined) query = query.where(ownerColumn(page.owner), '=', page.owner.id);
      return (await query.execute()).map(toApiKey);
    },
    revoke: async (tx, input) => {
      const row = await tx
        .updateTable('api_key')
        .set({ status: 'revoked', revoked_at: input.at, revoked_by: input.by })
        .where('key_id', '=', input.id)
        .where('status', '<>', 'revoked')
        .returning(columns)
        .executeTakeFirst();
      return row && toApiKey(row);
    },
    keepSealed: async (tx, id, secret) => {
      await tx
        .updateTable('api_key')
        .set({ secret_sealed: Buffer.from(secret.box), secret_key_version: secret.keyVersion })
        .where('key_id', '=', id)
        .where('secret_sealed', 'is', null)
        .execute();
    },
    findForVerification: findForVerification(pool),
    locate: async (id) => {
      const found = await locate(pool, id);
      return found === undefined ? undefined : organizationId.require(found);
    },
  };
}

function ownerColumn(owner: ApiKey['owner']): 'user_id' | 'service_account_id' {
  return owner.type === 'user' ? 'user_id' : 'service_account_id';
}

function toApiKey(row: Row): ApiKey {
  return {
    organizationId: organizationId.require(row.org_id),
    id: apiKeyId.require(row.key_id),
    owner: toOwner(row),
    lastFour: row.last_four,
    description: row.description,
    reason: row.reason ?? undefined,
    labels: row.labels,
    scopes: row.scopes ?? undefined,
    allowedNetworks: row.allowed_networks ?? undefined,
    status: row.status,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    previousSecretUntil: row.previous_secret_until ?? undefined,
    disabledAt: row.disabled_at ?? undefined,
    disabledBy: row.disabled_by ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    revokedBy: row.revoked_by ?? undefined,
  };
}

/** Of a key that is being made: what happens to one later has a method of its own. */
function toRow(key: ApiKey, secret: SealedSecret): Insertable<Rows.ApiKeyRow> {
  return {
    org_id: key.organizationId,
    key_id: key.id,
    [ownerColumn(key.owner)]: key.owner.id,
    secret_sealed: Buffer.from(secret.box),
    secret_key_version: secret.keyVersion,
    last_four: key.lastFour,
    description: key.description,
    reason: key.reason ?? null,
    labels: JSON.stringify(key.labels),
    scopes: key.scopes === undefined ? null : [...key.scopes],
    allowed_networks: key.allowedNetworks === undefined ? null : [...key.allowedNetworks],
    status: key.status,
    created_at: key.createdAt,
    created_by: key.createdBy,
    expires_at: key.expiresAt ?? null,
  };
}
