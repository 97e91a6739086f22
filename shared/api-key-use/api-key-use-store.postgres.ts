import { sql } from 'kysely';
import type { ApiKeyUseStore } from './api-key-use-store.ts';

export const postgresApiKeyUseStore: ApiKeyUseStore = {
  record: async (tx, organizationId, uses) => {
    const keyIds = uses.map(({ keyId }) => keyId);
    const instants = uses.map(({ usedAt }) => usedAt.toISOString());
    await sql`
      update api_key set last_used_at = used.at
      from (
        select key_id, least(max(at), clock_timestamp()) as at
        from unnest(${keyIds}::text[], ${instants}::timestamptz[]) as given (key_id, at)
        group by key_id order by key_id
      ) as used
      where api_key.org_id = ${organizationId} and api_key.key_id = used.key_id
        and (api_key.last_used_at is null or api_key.last_used_at < used.at)`.execute(tx);
  },
};
