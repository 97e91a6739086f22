import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../telemetry/index.ts';
import { type ReceivedCloudEvent, readCloudEvent } from './cloud-event-request.ts';
import { type FunctionOptions, sendProblem } from './function-server.ts';

/**
 * The four outcomes of an event. Knative retries 5xx, 404, 408, 409 and 429 and dead-letters every other 4xx, so:
 * accepted and duplicate 204 with no body (a body that is no CloudEvent is an error), malformed 400, transient 503.
 */
export type EventOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'duplicate' }
  | { readonly outcome: 'malformed'; readonly detail: string }
  | { readonly outcome: 'transient'; readonly detail: string };

export type EventHandler = (event: ReceivedCloudEvent) => Promise<EventOutcome>;

/**
 * Handlers by event type; the one named `*` takes every type that has none of its own. A type nobody handles is
 * malformed: retrying it cannot help.
 */
export function toEventListener(
  logger: Logger,
  handlers: Readonly<Record<string, EventHandler>>,
): FunctionOptions['listener'] {
  return async (req: IncomingMessage, res: ServerResponse, { body, requestId }) => {
    if (req.method !== 'POST') return sendProblem(res, { code: 'request.route_unknown' }, requestId);
    const event = readCloudEvent(req.headers, body);
    if (!event.ok) return sendProblem(res, event.failure, requestId);
    const outcome = await outcomeOf(logger, handlers, event.value);
    if (outcome.outcome === 'malformed') {
      logger.warn({ requestId, ...named(event.value), detail: outcome.detail }, 'Event refused');
      return sendProblem(res, { code: 'cloud_event.malformed', detail: outcome.detail }, requestId);
    }
    if (outcome.outcome === 'transient') {
      logger.warn({ requestId, ...named(event.value), detail: outcome.detail }, 'Event put off');
      return sendProblem(res, { code: 'service.unavailable' }, requestId);
    }
    res.writeHead(204).end();
  };
}

async function outcomeOf(
  logger: Logger,
  handlers: Readonly<Record<string, EventHandler>>,
  event: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : handlers['*'];
  if (handler === undefined)
    return { outcome: 'malformed', detail: `No handler for events of type "${named(event).type}"` };
  try {
    return await handler(event);
  } catch (error) {
    logger.error({ error, ...named(event) }, 'Event handler failed');
    return { outcome: 'transient', detail: 'The handler failed' };
  }
}

const namedMax = 128;

/** Whoever sent it chose these: a log line takes no more of them than a name needs. */
function named(event: ReceivedCloudEvent): { event: string; type: string } {
  return { event: event.id.slice(0, namedMax), type: event.type.slice(0, namedMax) };
}
