import type { CloudEvent, OutgoingMessage } from '../events/index.ts';
import { type Clock, type Random, typeId } from '../kernel/index.ts';
import { type ApiKeyUse, apiKeyUsedTopic, apiKeyUsedType, usesMax } from './api-key-use.ts';

export type NotedUse = ApiKeyUse & { readonly organizationId: string };
export type UsedMessage = { readonly message: OutgoingMessage; readonly uses: readonly NotedUse[] };

const eventId = typeId('evt');
const minuteMs = 60_000;

/** An event for each organization, or more where one would grow too large; made as they are asked for. */
export function* toMessages(
  deps: { readonly clock: Clock; readonly random: Random; readonly source: string },
  noted: readonly NotedUse[],
): Generator<UsedMessage, undefined> {
  for (const [organizationId, ofOrganization] of Map.groupBy(noted, (use) => use.organizationId)) {
    for (let start = 0; start < ofOrganization.length; start += usesMax) {
      const uses = ofOrganization.slice(start, start + usesMax);
      const event: CloudEvent = {
        specversion: '1.0',
        id: eventId.create(deps),
        source: deps.source,
        type: apiKeyUsedType,
        time: deps.clock.now().toISOString(),
        datacontenttype: 'application/json',
        orgid: organizationId,
        partitionkey: organizationId,
        data: { uses: uses.map(({ keyId, usedAt }) => ({ keyId, usedAt: toMinute(usedAt) })) },
      };
      const message: OutgoingMessage = {
        topic: apiKeyUsedTopic,
        key: organizationId,
        contentType: 'application/cloudevents+json',
        value: JSON.stringify(event),
      };
      yield { message, uses };
    }
  }
}

/** The minute tells a key in use from one that is not, and no more of what its owner does. */
function toMinute(instant: Date): string {
  return new Date(Math.floor(instant.getTime() / minuteMs) * minuteMs).toISOString();
}
