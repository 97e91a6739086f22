import {
  type ExportName,
  type LogPublisher,
  type RunExportDeps,
  runExport,
} from '../../shared/audit/index.ts';
import { withSystem } from '../../shared/db/index.ts';
import { type SealJournalDeps, sealJournal } from '../../shared/decision-record/index.ts';
import { secondsAfter } from '../../shared/kernel/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type SweepDeps = {
  readonly exporting: RunExportDeps;
  readonly publisher: LogPublisher;
  readonly sealing: SealJournalDeps;
  readonly logger: Logger;
};

/** Younger ones are their event's. */
const waitingSeconds = 20;
const exportsMax = 5;

/**
 * Segments of the decisions in the journal; then what lost events and lost publications left behind: logs whose files
 * trail, and waiting exports, oldest first.
 */
export async function sweep(deps: SweepDeps): Promise<void> {
  await sealJournal(deps.sealing);
  await deps.publisher.sweep();
  const { pool, exports, clock } = deps.exporting;
  const requestedBefore = secondsAfter(clock.now(), -waitingSeconds);
  const waiting = await withSystem(pool, (tx) =>
    exports.listWaiting(tx, { requestedBefore, limit: exportsMax }),
  );
  for (const name of waiting) await runWaiting(deps, name);
}

/** One that fails must not keep the others waiting. */
async function runWaiting({ exporting, logger }: SweepDeps, name: ExportName): Promise<void> {
  const fields = { orgId: name.organizationId, exportId: name.id };
  try {
    const run = await runExport(exporting, name);
    logger.info(
      { ...fields, outcome: run.ok ? run.value : run.failure },
      'A waiting export was found and run',
    );
  } catch (error) {
    logger.error({ ...fields, error }, 'A waiting export could not be run');
  }
}
