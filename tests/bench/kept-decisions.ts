import { join } from 'node:path';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import { type DecisionCursor, findDecisions } from '../../shared/decision-record/index.ts';
import { invariant, systemRandom } from '../../shared/kernel/index.ts';
import { createDirectoryObjectStore } from '../../shared/object-store/object-store.directory.ts';
import { organizationId } from '../../shared/organization/index.ts';
import type { BenchScene } from './bench-scene.ts';

const readsAtOnce = 4;
const pageLimit = 10_000;

/** Request ids of what is kept of these organizations since then: of the journal, and of segments as logged. */
export async function findKeptRequests(
  { pool, directory }: BenchScene,
  asked: { readonly organizations: ReadonlySet<string>; readonly from: Date; readonly to: Date },
): Promise<ReadonlySet<string>> {
  const deps = {
    pool,
    journal: postgresDecisionJournal(pool),
    segments: postgresDecisionSegmentStore,
    objects: createDirectoryObjectStore(join(directory, 'objects'), { random: systemRandom }),
  };
  const kept = new Set<string>();
  const waiting = [...asked.organizations];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const window = { organizationId: organizationId.require(next), from: asked.from, to: asked.to };
      let after: DecisionCursor | undefined;
      do {
        const page = await findDecisions(deps, { ...window, keys: [], limit: pageLimit, after });
        invariant(page.damaged.length === 0, 'every segment is what its log names');
        for (const { record } of page.decisions) kept.add(record.request_id);
        after = page.next;
      } while (after !== undefined);
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, work));
  return kept;
}

const recordsApplication = 'uos-authorize-records';
const sessionsEndTimeoutMs = 30_000;

/** An insert that was under way when its process was killed goes on in the database: it is kept or not only then. */
export async function untilInsertsEnded({ pool }: BenchScene): Promise<void> {
  const deadline = AbortSignal.timeout(sessionsEndTimeoutMs);
  const text = 'select 1 from pg_stat_activity where application_name = $1';
  while ((await pool.query({ text, values: [recordsApplication] })).rows.length > 0) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
