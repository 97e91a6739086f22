import { gitSourceId } from '../../shared/git-source/index.ts';
import type { EventOutcome, ReceivedCloudEvent } from '../../shared/http/index.ts';
import { reconcileSource } from '../../shared/reconcile/index.ts';
import type { HandlerDeps } from './handler.ts';
import { logResult } from './log-result.ts';

/**
 * Only the source's id is taken from the event: which commit is newest, the Git server says. A refused declaration is
 * on record and accepted; only what may pass by itself asks for the event again.
 */
export async function reconcilePushedSource(
  deps: HandlerDeps,
  event: ReceivedCloudEvent,
): Promise<EventOutcome> {
  const sourceId = event['subject'];
  if (!gitSourceId.is(sourceId)) return { outcome: 'malformed', detail: 'The subject names no Git source' };
  const result = await reconcileSource(deps, { sourceId, trigger: 'push' });
  logResult(deps.logger, sourceId, result);
  if (result.ok) return { outcome: 'accepted' };
  const { failure } = result;
  switch (failure.code) {
    case 'git_source.not_found':
      return { outcome: 'malformed', detail: 'There is no such Git source' };
    case 'reconcile.fetch_failed':
      return failure.isTransient
        ? { outcome: 'transient', detail: failure.cause.code }
        : { outcome: 'accepted' };
    case 'reconcile.busy':
    case 'reconcile.incomplete':
      return { outcome: 'transient', detail: failure.code };
  }
}
