import type { EventAppender } from '../../shared/audit/index.ts';
import {
  type CloudEvent,
  type CloudEventFailure,
  cloudEventSchema,
  leafBytesMax,
  toLeaf,
} from '../../shared/events/index.ts';
import type { EventOutcome, ReceivedCloudEvent } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';

/** PostgreSQL's text holds no NUL, and a name that cannot be printed is not ours. */
const printable = /^[\x21-\x7e]+$/;

/**
 * An event that was recorded with its change, and no other: whoever reaches us may send anything. What the way here
 * added to it (trace context, Kafka headers in binary mode) is left out again, so that the entry is the text that was
 * recorded. Answered only when it is committed.
 */
export async function appendEvent(
  appender: EventAppender,
  received: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const event = readEvent(received);
  if (!event.ok) return malformed(event.failure.reason);
  switch (await appender.append(event.value)) {
    case 'appended':
      return { outcome: 'accepted' };
    case 'duplicate':
      return { outcome: 'duplicate' };
    case 'unrecorded':
      return malformed(
        `No change in organization "${event.value.orgid}" was recorded with exactly this event`,
      );
  }
}

function readEvent(received: ReceivedCloudEvent): Result<CloudEvent, CloudEventFailure> {
  try {
    const event = cloudEventSchema.safeParse(received);
    if (!event.success)
      return unreadable('It lacks an attribute of an audit event, or has one of another form');
    if (!printable.test(event.data.id) || !printable.test(event.data.source))
      return unreadable('Its id or source has characters that no event of ours has');
    if (Buffer.byteLength(toLeaf(event.data)) > leafBytesMax)
      return unreadable(`It is longer than the ${leafBytesMax} bytes of an entry`);
    return ok(event.data);
  } catch {
    // Nested deeper than the stack, or a lone surrogate: thrown on, it would be retried as if the fault were ours.
    return unreadable('It has no canonical JSON (RFC 8785)');
  }
}

function unreadable(reason: string): Result<never, CloudEventFailure> {
  return fail({ code: 'cloud_event.malformed', reason });
}

function malformed(detail: string): EventOutcome {
  return { outcome: 'malformed', detail };
}
