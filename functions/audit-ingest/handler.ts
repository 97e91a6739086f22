import {
  type AuditLogDeps,
  appendEvents,
  createEventAppender,
  type LogPublisher,
} from '../../shared/audit/index.ts';
import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { appendEvent } from './append-event.ts';

export type HandlerDeps = {
  readonly log: AuditLogDeps;
  readonly publisher: LogPublisher;
  readonly logger: Logger;
};

export function createHandler({ log, publisher, logger }: HandlerDeps): FunctionOptions['listener'] {
  const appender = createEventAppender(async (organizationId, events) => {
    const appended = await appendEvents(log, organizationId, events);
    if (appended.ok) for (const day of appended.value.grown) publisher.request({ organizationId, day });
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
