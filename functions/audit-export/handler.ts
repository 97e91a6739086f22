import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import { runRequestedExport, type TrailWait } from './run-requested-export.ts';
import { type SweepDeps, sweep } from './sweep.ts';

export type HandlerDeps = SweepDeps & { readonly trailWait?: TrailWait };

const defaultTrailWait: TrailWait = { attemptsMax: 50, pauseMs: 100 };

export function createHandler(deps: HandlerDeps): FunctionOptions['listener'] {
  const trailWait = deps.trailWait ?? defaultTrailWait;
  return toEventListener(deps.logger, {
    'dev.knative.sources.ping': async () => {
      await sweep(deps);
      return { outcome: 'accepted' };
    },
    'uos.audit-export.requested.v1': (event) => runRequestedExport(deps, trailWait, event),
  });
}
