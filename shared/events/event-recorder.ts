import type { OrgTransaction } from '../db/index.ts';
import type { Actor, EventData, EventType, Topic } from './event-catalog.ts';
import type { PersonalMembers, SealedIn } from './sealed-member.ts';

export type DomainEvent<Type extends EventType = EventType> = {
  [T in Type]: {
    readonly type: T;
    /** Id of the thing that changed. */
    readonly subject: string;
    readonly actor: Actor;
    readonly data: EventData<T>;
    /** Makes `data.personal` once the event has the id that it is bound to. */
    readonly personal?: (event: SealedIn) => PersonalMembers;
    /** Topics beside `audit.identity`: the same event asks a function for work. */
    readonly alsoTopics?: readonly Topic[];
  };
}[Type];

/**
 * Writes an event in the transaction that makes the change: into the trail (`audit_event`) and, per topic, into
 * the outbox. It commits with the change or not at all. Throws when the data does not fit the catalogue, since
 * that is a bug. Returns the event's id.
 */
export type EventRecorder = {
  record(tx: OrgTransaction, orgId: string, event: DomainEvent): Promise<string>;
};
