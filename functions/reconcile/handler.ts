import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import type { ReconcileDeps } from '../../shared/reconcile/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { pollAllSources } from './poll-all-sources.ts';
import { reconcilePushedSource } from './reconcile-pushed-source.ts';

export type HandlerDeps = ReconcileDeps & { readonly logger: Logger };

export function createHandler(deps: HandlerDeps): FunctionOptions['listener'] {
  return toEventListener(deps.logger, {
    'uos.git-source.push-received.v1': (event) => reconcilePushedSource(deps, event),
    'dev.knative.sources.ping': () => pollAllSources(deps),
  });
}
