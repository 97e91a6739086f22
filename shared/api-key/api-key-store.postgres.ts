import { sql } from 'kysely';
import { addLocator, type DatabasePool, locate } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { columns, matches, toApiKey, toRow } from './api-key-row.postgres.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { findForVerification } from './verify-api-key.postgres.ts';

export function postgresApiKeyStore(pool: DatabasePool): ApiKeyStore {
  return {
    findOwnerFault: async (tx, owner, now) => {
      // Held until commit: an owner that is being disabled cannot gain a key in between.
      const row =
        owner.type === 'user'
          ? await tx
              .selectFrom('membership')
              .select((eb) => [
                'status',
                eb
                  .selectFrom('organization')
                  .select('organization.status')
                  .whereRef('organization.org_id', '=', 'membership.org_id')
                  .as('organization_status'),
              ])
              .where('user_id', '=', owner.id)
              .forShare()
              .executeTakeFirst()
          : await tx
              .selectFrom('service_account')
              .select((eb) => [
                'status',
                eb
                  .selectFrom('organization')
                  .select('organization.status')
                  .whereRef('organization.org_id', '=', 'service_account.org_id')
                  .as('organization_status'),
              ])
              .where('service_account_id', '=', owner.id)
              .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
              .forShare()
              .executeTakeFirst();
      if (row?.status !== 'active') return 'api_key.owner_not_found';
      return row.organization_status === 'active' ? undefined : 'api_key.organization_suspended';
    },
    add: async (tx, key, secret) => {
      await tx.insertInto('api_key').values(toRow(key, secret)).execute();
      await addLocator(tx, key.id, key.organizationId);
    },
    find: async (tx, id) => {
      const row = await tx.selectFrom('api_key').select(columns).where('key_id', '=', id).executeTakeFirst();
      return row && toApiKey(row);
    },
    lock: async (tx, id) => {
      const row = await tx
        .selectFrom('api_key')
        .select([...columns, sql<boolean>`secret_sealed is not null`.as('is_sealed')])
        .where('key_id', '=', id)
        .forUpdate()
        .executeTakeFirst();
      return row && { key: toApiKey(row), isSealed: row.is_sealed };
    },
    list: async (tx, { limit, before, id, ...filter }) => {
      let query = tx.selectFrom('api_key').select(columns).where(matches(filter));
      if (before !== undefined) query = query.where('key_id', '<', before);
      if (id !== undefined) query = query.where('key_id', '=', id);
      return (await query.orderBy('key_id', 'desc').limit(limit).execute()).map(toApiKey);
    },
    setStatus: async (tx, { id, status, by, at }) => {
      const isDisabled = status === 'disabled';
      const row = await tx
        .updateTable('api_key')
        .set({ status, disabled_at: isDisabled ? at : null, disabled_by: isDisabled ? by : null })
        .where('key_id', '=', id)
        .where('status', '=', isDisabled ? 'active' : 'disabled')
        .returning(columns)
        .executeTakeFirst();
      return row && toApiKey(row);
    },
    rotate: async (tx, { id, secret, lastFour, previousUntil }) => {
      const isKept = previousUntil !== undefined;
      const row = await tx
        .updateTable('api_key')
        .set(({ ref, eb }) => ({
          secret_sealed: Buffer.from(secret.box),
          secret_key_version: secret.keyVersion,
          secret_number: eb('secret_number', '+', 1),
          previous_secret_sealed: isKept ? ref('secret_sealed') : null,
          previous_secret_key_version: isKept ? ref('secret_key_version') : null,
          previous_secret_until: previousUntil ?? null,
          secret_mac: null,
          pepper_version: null,
          last_four: lastFour,
        }))
        .where('key_id', '=', id)
        .returning(columns)
        .executeTakeFirstOrThrow();
      return toApiKey(row);
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
    revokeMany: async (tx, { filter, limit, by, at }) => {
      const rows = await tx
        // Of its own, and so run once: inside the update it would be run for each row, with a new limit each time.
        .with('found', (query) =>
          query
            .selectFrom('api_key')
            .select('key_id')
            .where('status', '<>', 'revoked')
            .where(matches(filter))
            .orderBy('key_id')
            .limit(limit)
            .forUpdate(),
        )
        .updateTable('api_key')
        .set({ status: 'revoked', revoked_at: at, revoked_by: by })
        .where('key_id', 'in', (query) => query.selectFrom('found').select('key_id'))
        .returning(columns)
        .execute();
      return rows.map(toApiKey);
    },
    redact: async (tx, owner) => {
      await tx
        .updateTable('api_key')
        .set({ description: 'Erased', reason: null, labels: '{}', allowed_networks: null })
        .where('user_id', '=', owner)
        // Without its networks a key works from anywhere.
        .where('status', '=', 'revoked')
        .execute();
    },
    hasUnrevoked: async (tx, filter) => {
      const row = await tx
        .selectFrom('api_key')
        .select('key_id')
        .where('status', '<>', 'revoked')
        .where(matches(filter))
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
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
