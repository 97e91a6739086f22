import type { EventOutcome } from '../../shared/http/index.ts';
import { pollSources } from '../../shared/reconcile/index.ts';
import type { HandlerDeps } from './handler.ts';
import { logResult } from './log-result.ts';

/** What failed is looked at again at the next tick, so the tick itself is never sent again. */
export async function pollAllSources(deps: HandlerDeps): Promise<EventOutcome> {
  for (const { sourceId, result } of await pollSources(deps)) {
    if ('thrown' in result)
      deps.logger.error({ sourceId, error: result.thrown }, 'A source was not looked at');
    else logResult(deps.logger, sourceId, result);
  }
  return { outcome: 'accepted' };
}
