import type { CloudEvent } from '../events/index.ts';
import { invariant } from '../kernel/index.ts';
import { type OrganizationId, organizationId } from '../organization/index.ts';
import type { Appended, AppendOutcome } from './append-events.ts';

/** Appends one event; resolves only when it is committed. Rejects when the database fails: the event may be sent again. */
export type EventAppender = {
  append(event: CloudEvent): Promise<AppendOutcome>;
};

type AppendBatch = (organizationId: OrganizationId, events: readonly CloudEvent[]) => Promise<Appended>;

type Waiting = {
  readonly event: CloudEvent;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
};

/** At most 6 MB of leaves a transaction, and 8 MB in one statement. */
const batchMax = 100;

/**
 * One transaction at a time an organization: whoever arrives while it runs shares the next. They would wait for its
 * lock anyway, and one signature and one commit serve them all.
 */
export function createEventAppender(appendBatch: AppendBatch): EventAppender {
  const lanes = new Map<string, Waiting[]>();
  const run = async (key: string, lane: Waiting[]) => {
    while (lane.length > 0) await settle(appendBatch, lane.splice(0, batchMax));
    lanes.delete(key);
  };
  return {
    append: (event) =>
      new Promise((resolve, reject) => {
        const waiting = { event, resolve, reject };
        const lane = lanes.get(event.orgid);
        if (lane !== undefined) return void lane.push(waiting);
        const started = [waiting];
        lanes.set(event.orgid, started);
        void run(event.orgid, started);
      }),
  };
}

async function settle(appendBatch: AppendBatch, batch: readonly Waiting[]): Promise<void> {
  try {
    const id = organizationId.require(batch[0]?.event.orgid ?? '');
    const { outcomes } = await appendBatch(
      id,
      batch.map(({ event }) => event),
    );
    for (const [at, { resolve }] of batch.entries()) {
      const outcome = outcomes[at];
      invariant(outcome !== undefined, 'a batch has an outcome for each of its events');
      resolve(outcome);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
