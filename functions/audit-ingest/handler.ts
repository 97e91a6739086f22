import {
  type AuditLogDeps,
  appendEvents,
  createEventAppender,
  type LogPublisher,
} from '../../shared/audit/index.ts';
import { leafBytesMax } from '../../shared/events/index.ts';
import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { appendEvent } from './append-event.ts';

/** Four times an entry, for a middleman that spells text in JSON escapes. Reading more is work that nobody needs. */
export const bodyBytesMax = 4 * leafBytesMax;

export type HandlerDeps = {
  readonly log: AuditLogDeps;
  readonly publisher: LogPublisher;
  readonly logger: Logger;
};

export function createHandler({ log, publisher, logger }: HandlerDeps): FunctionOptions['listener'] {
  const appender = createEventAppender(async (organizationId, events) => {
    const appended = await appendEvents(log, organizationId, events);
    for (const day of appended.grown) publisher.request({ organizationId, day });
    return appended;
  });
  return toEventListener(logger, {
    'dev.knative.sources.ping': async () => {
      await publisher.sweep();
      return { outcome: 'accepted' };
    },
    '*': (event) => appendEvent(appender, event),
  });
}
