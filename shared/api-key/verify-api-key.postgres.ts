import type { DatabasePool } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import { apiKeyId } from './api-key-id.ts';
import { type ApiKeyOwner, userId } from './api-key-owner.ts';
import type { ApiKeyForVerification, ApiKeyStore } from './api-key-store.ts';

/**
 * One statement and one round trip, in place of a look-up of the organization and a transaction in its scope. The
 * locator says which organization, `scope` sets it, and `offset 0` keeps what reads the tenant's tables from being
 * planned ahead of that; were it, row-level security would show it nothing. The setting ends with the statement.
 */
const text = `
with scope as materialized (
  select set_config('uos.org_id', coalesce((select l.org_id from locator l where l.id = $1), ''), true) as org_id
)
select found.* from scope, lateral (
  select k.org_id, k.key_id, k.service_account_id, k.user_id, k.secret_sealed, k.secret_mac, k.pepper_version,
         k.previous_secret_sealed, k.previous_secret_until, k.status, k.expires_at, k.scopes, k.allowed_networks,
         o.status = 'active' and coalesce(s.status, m.status) = 'active' as is_owner_active,
         s.expires_at as owner_expires_at
    from api_key k join organization o on o.org_id = k.org_id
    left join service_account s on s.org_id = k.org_id and s.service_account_id = k.service_account_id
    left join membership m on m.org_id = k.org_id and m.user_id = k.user_id
   where k.org_id = scope.org_id and k.key_id = $1
  offset 0
) as found`;

const statement = { name: 'api-key-for-verification', text };

type Row = {
  readonly org_id: string;
  readonly key_id: string;
  readonly service_account_id: string | null;
  readonly user_id: string | null;
  readonly secret_sealed: Buffer | null;
  readonly secret_mac: Buffer | null;
  readonly pepper_version: number | null;
  readonly previous_secret_sealed: Buffer | null;
  readonly previous_secret_until: Date | null;
  readonly status: 'active' | 'disabled' | 'revoked';
  readonly expires_at: Date | null;
  readonly scopes: string[] | null;
  readonly allowed_networks: string[] | null;
  readonly is_owner_active: boolean | null;
  readonly owner_expires_at: Date | null;
};

export function findForVerification(pool: Pick<DatabasePool, 'query'>): ApiKeyStore['findForVerification'] {
  return async (id) => {
    const { rows } = await pool.query<Row>({ ...statement, values: [id] });
    return rows[0] && toApiKeyForVerification(rows[0]);
  };
}

function toApiKeyForVerification(row: Row): ApiKeyForVerification {
  return {
    organizationId: organizationId.require(row.org_id),
    id: apiKeyId.require(row.key_id),
    owner: toOwner(row),
    status: row.status,
    expiresAt: row.expires_at ?? undefined,
    scopes: row.scopes ?? undefined,
    allowedNetworks: row.allowed_networks ?? undefined,
    isOwnerActive: row.is_owner_active === true,
    ownerExpiresAt: row.owner_expires_at ?? undefined,
    secret: row.secret_sealed ?? undefined,
    previousSecret: toPreviousSecret(row),
    mac:
      row.secret_mac === null || row.pepper_version === null
        ? undefined
        : { mac: row.secret_mac, pepperVersion: row.pepper_version },
  };
}

/** Exactly one of the two is there: a check of the table. */
export function toOwner(row: Pick<Row, 'service_account_id' | 'user_id'>): ApiKeyOwner {
  return row.user_id === null
    ? { type: 'service_account', id: serviceAccountId.require(row.service_account_id ?? '') }
    : { type: 'user', id: userId.require(row.user_id) };
}

function toPreviousSecret(row: Row): ApiKeyForVerification['previousSecret'] {
  const { previous_secret_sealed: box, previous_secret_until: until } = row;
  return box === null || until === null ? undefined : { box, until };
}
