import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import type { OutboxRelay } from '../../shared/outbox/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type HandlerDeps = { readonly relay: OutboxRelay; readonly logger: Logger };

/** A tick only repairs what a lost notification left behind: it waits for the drain, so that its answer is true. */
export function createHandler({ relay, logger }: HandlerDeps): FunctionOptions['listener'] {
  return toEventListener(logger, {
    'dev.knative.sources.ping': async () => {
      await relay.drain();
      return { outcome: 'accepted' };
    },
  });
}
