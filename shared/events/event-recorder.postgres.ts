import { type Clock, invariant, type JsonObject, type Random, typeId } from '../kernel/index.ts';
import { type CloudEvent, leafBytesMax, toLeaf } from './cloud-event.ts';
import { actorSchema, eventCatalog, type Topic } from './event-catalog.ts';
import type { DomainEvent, EventRecorder } from './event-recorder.ts';

const eventId = typeId('evt');

export type EventRecorderDeps = {
  readonly clock: Clock;
  readonly random: Random;
  /** CloudEvents source: `uos/<function>`. With the id it names the event for ever. */
  readonly source: string;
};

export function postgresEventRecorder(deps: EventRecorderDeps): EventRecorder {
  return {
    record: async (tx, orgId, event) => {
      const cloudEvent = toCloudEvent(deps, orgId, event);
      const leaf = toLeaf(cloudEvent);
      invariant(
        Buffer.byteLength(leaf) <= leafBytesMax,
        `event ${event.type} is longer than ${leafBytesMax} bytes`,
      );
      await tx
        .insertInto('audit_event')
        .values({
          org_id: orgId,
          event_id: cloudEvent.id,
          type: event.type,
          subject: event.subject,
          actor_type: event.actor.type,
          actor_id: event.actor.id,
          occurred_at: new Date(cloudEvent.time),
          leaf,
        })
        .execute();
      const topics: readonly Topic[] = ['audit.identity', ...(event.alsoTopics ?? [])];
      await tx
        .insertInto('outbox')
        .values(
          topics.map((topic) => ({
            org_id: orgId,
            topic,
            event_id: cloudEvent.id,
            payload: leaf,
            created_at: new Date(cloudEvent.time),
          })),
        )
        .execute();
      return cloudEvent.id;
    },
  };
}

/** Also for events that never enter the outbox, such as the first and last entry of a log. */
export function toCloudEvent(deps: EventRecorderDeps, orgId: string, event: DomainEvent): CloudEvent {
  const id = eventId.create(deps);
  const personal = event.personal === undefined ? {} : { personal: event.personal({ id, type: event.type }) };
  const data = eventCatalog[event.type].parse({ ...event.data, ...personal });
  return {
    specversion: '1.0',
    id,
    source: deps.source,
    type: event.type,
    subject: event.subject,
    time: deps.clock.now().toISOString(),
    datacontenttype: 'application/json',
    orgid: orgId,
    partitionkey: orgId,
    data: { ...(data as JsonObject), actor: actorSchema.parse(event.actor) } as CloudEvent['data'],
  };
}
