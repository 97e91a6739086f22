import { type Clock, createTransientSet, type Random } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { createDecisionBuffer } from './decision-buffer.ts';
import type { DecisionJournal } from './decision-journal.ts';
import { isKept } from './decision-log.ts';
import { type DecisionRecord, toLine } from './decision-record.ts';
import type { DecisionStream } from './decision-stream.ts';
import { createJournalWriter } from './journal-writer.ts';
import type { DecisionLogSource, KnownDecisionLog } from './known-decision-log.ts';
import { removeAllAttributes } from './mask-attributes.ts';

export type DecisionRecorderDeps = {
  readonly logs: DecisionLogSource;
  readonly journal: Pick<DecisionJournal, 'write'>;
  readonly stream: DecisionStream;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type DecisionRecorderOptions = {
  /** How long a record may wait for the journal. */
  readonly journalMs?: number;
  /** Beyond it the recorder is full: its owner must stop deciding. */
  readonly recordsMax?: number;
  readonly charactersMax?: number;
};

/**
 * Keeps what an organization wants kept of its decisions.
 *
 * Loss bound: a record is in the journal (PostgreSQL) a tenth of a second after its answer plus the time of one insert,
 * whatever the number of organizations; a killed instance loses what is younger, below 1 s. In small flushes, since
 * what one does at once every question waits for. A privileged record is
 * there before its answer leaves. From the journal others make segments (`sealJournal`): an instance that answers has
 * no more to do than one insert a flush.
 */
export type DecisionRecorder = {
  /**
   * Synchronous and never throws. For a privileged record, a promise to wait for before the answer is given: it
   * rejects when the record could not be made durable.
   */
  record(record: DecisionRecord): Promise<void> | undefined;
  /** False while nothing more can be kept, because it could not be written for long. */
  isAccepting(): boolean;
  /** All that was recorded before is in the journal when it resolves; rejects when that failed. */
  journal(): Promise<void>;
  /** Journals all that waits. What could not be journaled is lost, and counted in the log. */
  close(): Promise<void>;
};

const closeAttemptsMax = 3;

export function createDecisionRecorder(
  deps: DecisionRecorderDeps,
  options: DecisionRecorderOptions = {},
): DecisionRecorder {
  const recordsMax = options.recordsMax ?? 100_000;
  const charactersMax = options.charactersMax ?? 64 * 1024 * 1024;
  const held = { records: 0, characters: 0 };
  const buffer = createDecisionBuffer(deps);
  const journal = createJournalWriter({
    ...deps,
    buffer,
    onWritten: (parts) => {
      for (const { records, lines } of parts) {
        held.records -= records;
        held.characters -= lines.length;
      }
    },
  });
  const pending = createTransientSet<Promise<void>>();

  function keep(record: DecisionRecord, log: KnownDecisionLog | undefined): void {
    if (log !== undefined && !isKept(log.level, record)) {
      held.records--;
      return;
    }
    const text = toLine(record, log?.mask ?? removeAllAttributes);
    held.characters += text.length;
    buffer.add(
      { organizationId: record.organization, policyRevision: record.policyRevision },
      { time: record.time, text },
    );
  }

  /** In one turn, so that no write can take the record before its fate is asked for. */
  function keepForGood(record: DecisionRecord, log: KnownDecisionLog | undefined): Promise<void> | undefined {
    keep(record, log);
    return record.isPrivileged === true ? journal.flush() : undefined;
  }

  /** Where the settings cannot be had everything is kept, but no attribute. */
  async function settle(record: DecisionRecord): Promise<void> {
    const demand = { isUrgent: record.isPrivileged === true };
    const log = await deps.logs.find(record.organization, demand).catch(() => undefined);
    await keepForGood(record, log);
  }

  const flushQuietly = () => journal.flushAll().catch(() => undefined);
  const timer = setInterval(() => void flushQuietly(), options.journalMs ?? 100);
  return {
    record: (record) => {
      held.records++;
      const log = deps.logs.peek(record.organization);
      if (log !== undefined) return keepForGood(record, log);
      const settled = settle(record);
      const over = settled.catch(() => undefined).finally(() => pending.delete(over));
      pending.add(over);
      return record.isPrivileged === true ? settled : undefined;
    },
    isAccepting: () => held.records < recordsMax && held.characters < charactersMax,
    journal: async () => {
      await Promise.all(pending);
      await journal.flushAll();
    },
    close: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      for (let attempt = 0; attempt < closeAttemptsMax && held.records > 0; attempt++) await flushQuietly();
      if (held.records > 0) deps.logger.error({ records: held.records }, 'Decisions are lost');
      await deps.stream.close();
    },
  };
}
