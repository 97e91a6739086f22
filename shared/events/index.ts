/**
 * What happened, as CloudEvents. An event is recorded in the transaction of its change and leaves through the
 * outbox; its canonical text is the leaf of the audit log and the line of an export, byte for byte.
 */
export {
  type CloudEvent,
  type CloudEventFailure,
  cloudEventSchema,
  leafBytesMax,
  parseLeaf,
  toLeaf,
} from './cloud-event.ts';
export type { Actor, EventData, EventType, Topic } from './event-catalog.ts';
export type { DomainEvent, EventRecorder } from './event-recorder.ts';
export type { EventPublisher, OutgoingMessage } from './publisher.ts';
export {
  type PersonalMembers,
  type SealedIn,
  type SealedMember,
  sealedMemberSchema,
} from './sealed-member.ts';
