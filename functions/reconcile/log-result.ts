import type { Result } from '../../shared/kernel/index.ts';
import type { ReconcileFailure, ReconcileReport } from '../../shared/reconcile/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export function logResult(
  logger: Logger,
  sourceId: string,
  result: Result<ReconcileReport, ReconcileFailure>,
): void {
  if (result.ok) logReport(logger, sourceId, result.value);
  else logFailure(logger, sourceId, result.failure);
}

function logReport(logger: Logger, sourceId: string, report: ReconcileReport): void {
  const { commit } = report;
  if (report.outcome === 'settled') {
    logger.debug({ sourceId, commit }, 'Nothing to reconcile');
    return;
  }
  const { applied, unchanged, missing, refused } = report;
  logger.info({ sourceId, commit, applied: applied.length, unchanged, missing }, 'Source reconciled');
  for (const { name, refusal } of refused) {
    logger.warn({ sourceId, commit, organization: name, ...refusal }, 'Declaration refused');
  }
}

function logFailure(logger: Logger, sourceId: string, failure: ReconcileFailure): void {
  if (failure.code !== 'reconcile.incomplete') {
    logger.warn({ sourceId, failure }, 'Source not reconciled');
    return;
  }
  const { organizations, causes } = failure;
  logger.error({ sourceId, organizations, error: causes[0] }, 'Organizations left for another run');
}
