import { type ApiKeyUseStore, parseApiKeyUses } from '../../shared/api-key-use/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import type { EventOutcome, ReceivedCloudEvent } from '../../shared/http/index.ts';

export type RecordApiKeyUsesDeps = {
  readonly apiKeyUses: { readonly pool: DatabasePool; readonly store: ApiKeyUseStore };
};

/** One event, one statement. A repeated or late one changes nothing, so nothing has to remember which were here. */
export async function recordApiKeyUses(
  { apiKeyUses }: RecordApiKeyUsesDeps,
  event: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const used = parseApiKeyUses(event);
  if (used === undefined) return { outcome: 'malformed', detail: 'It does not say which keys were used' };
  const { organizationId, uses } = used;
  await withOrg(apiKeyUses.pool, organizationId, (tx) => apiKeyUses.store.record(tx, organizationId, uses));
  return { outcome: 'accepted' };
}
