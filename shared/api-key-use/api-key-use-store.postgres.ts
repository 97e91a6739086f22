import { sql } from 'kysely';
import type { ApiKeyUseStore } from './api-key-use-store.ts';

export const postgresApiKeyUseStore: ApiKeyUseStore = {
  record: async (tx, organizationId, uses) => {
    const keyIds = uses.map(({ keyId }) => keyId);
    const instants = uses.map(({ usedAt }) => usedAt.toISOString());
    // Locked first and in one order, as by a revocation of many: joined, they would be taken in whatever order the
    // planner likes, and the two could wait for each other.
    await sql`
      with used as (
        select key_id, least(max(at), clock_timestamp()) as at
        from unnest(${keyIds}::text[], ${instants}::timestamptz[]) as given (key_id, at)
        group by key_id
      ), locked as (
        select key_id from api_key
        where org_id = ${organizationId} and key_id = any(${keyIds}::text[])
        order by key_id for no key update
      )
      update api_key set last_used_at = used.at
      from used join locked using (key_id)
      where api_key.org_id = ${organizationId} and api_key.key_id = used.key_id
        and (api_key.last_used_at is null or api_key.last_used_at < used.at)`.execute(tx);
  },
};
