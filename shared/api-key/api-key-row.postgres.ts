import { type ExpressionBuilder, type Insertable, type Selectable, type SqlBool, sql } from 'kysely';
import type { Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import { apiKeyId } from './api-key-id.ts';
import type { SealedSecret } from './api-key-secret.ts';
import type { ApiKeyFilter } from './api-key-store.ts';
import { toOwner } from './verify-api-key.postgres.ts';

/** No secret among them. */
export const columns = [
  'org_id',
  'key_id',
  'service_account_id',
  'user_id',
  'last_four',
  'environment',
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

/** Which rows a filter finds, of whatever status. */
export function matches({ owner, labels, createdBefore }: ApiKeyFilter) {
  return ({ eb, and }: ExpressionBuilder<Rows.Database, 'api_key'>) =>
    and([
      ...(owner === undefined ? [] : [eb(ownerColumn(owner), '=', owner.id)]),
      ...(labels === undefined ? [] : [sql<SqlBool>`labels @> ${JSON.stringify(labels)}::jsonb`]),
      ...(createdBefore === undefined ? [] : [eb('created_at', '<', createdBefore)]),
    ]);
}

function ownerColumn(owner: ApiKey['owner']): 'user_id' | 'service_account_id' {
  return owner.type === 'user' ? 'user_id' : 'service_account_id';
}

export function toApiKey(row: Row): ApiKey {
  return {
    organizationId: organizationId.require(row.org_id),
    id: apiKeyId.require(row.key_id),
    owner: toOwner(row),
    lastFour: row.last_four,
    environment: row.environment ?? undefined,
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
export function toRow(key: ApiKey, secret: SealedSecret): Insertable<Rows.ApiKeyRow> {
  return {
    org_id: key.organizationId,
    key_id: key.id,
    [ownerColumn(key.owner)]: key.owner.id,
    secret_sealed: Buffer.from(secret.box),
    secret_key_version: secret.keyVersion,
    last_four: key.lastFour,
    environment: key.environment ?? null,
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
