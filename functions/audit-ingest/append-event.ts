import type { EventAppender } from '../../shared/audit/index.ts';
import { cloudEventSchema, parseLeaf, toLeaf } from '../../shared/events/index.ts';
import type { EventOutcome, ReceivedCloudEvent } from '../../shared/http/index.ts';

/** PostgreSQL's text holds no NUL, and a name that cannot be printed is not ours. */
const printable = /^[\x21-\x7e]+$/;

/**
 * Any event that has our attributes. What the way here added to it (trace context, Kafka headers in binary mode) is
 * left out again, so that the entry is the text that was recorded. Answered only when it is committed.
 */
export async function appendEvent(
  appender: EventAppender,
  received: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const event = cloudEventSchema.safeParse(received);
  if (!event.success) return malformed('It lacks an attribute of an audit event, or has one of another form');
  if (!printable.test(event.data.id) || !printable.test(event.data.source))
    return malformed('Its id or source has characters that no event of ours has');
  const leaf = parseLeaf(toLeaf(event.data));
  if (!leaf.ok) return malformed(`It cannot be an entry: ${leaf.failure.reason}`);
  const appended = await appender.append(event.data);
  if (!appended.ok) return malformed('There is no such organization');
  return { outcome: appended.value === 'duplicate' ? 'duplicate' : 'accepted' };
}

function malformed(detail: string): EventOutcome {
  return { outcome: 'malformed', detail };
}
