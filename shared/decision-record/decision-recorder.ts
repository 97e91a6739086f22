import { type Clock, type Random, secondsAfter } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { createDecisionBuffer, type DecisionGroup } from './decision-buffer.ts';
import { isKept } from './decision-log.ts';
import { type DecisionRecord, toLine } from './decision-record.ts';
import { createDecisionSegment } from './decision-segment.ts';
import type { DecisionStream } from './decision-stream.ts';
import { createJournalWriter } from './journal-writer.ts';
import type { DecisionLogSource, KnownDecisionLog } from './known-decision-log.ts';
import { removeAllAttributes } from './mask-attributes.ts';
import { type SealSegmentDeps, sealSegment } from './seal-segment.ts';

export type DecisionRecorderDeps = SealSegmentDeps & {
  readonly logs: DecisionLogSource;
  readonly stream: DecisionStream;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type DecisionRecorderOptions = {
  /** How long a record may wait for the journal. */
  readonly journalMs?: number;
  readonly segmentMs?: number;
  /** A segment's records are no older than this when nothing holds it up; a young one is not worth its event. */
  readonly segmentSeconds?: number;
  readonly segmentRecords?: number;
  /** Beyond it the recorder is full: its owner must stop deciding. */
  readonly recordsMax?: number;
  readonly charactersMax?: number;
};

/**
 * Keeps what an organization wants kept of its decisions.
 *
 * Loss bound: a record is in the journal (PostgreSQL) half a second after its answer plus the time of one insert,
 * whatever the number of organizations; a killed instance loses what is younger, below 1 s. A privileged record is
 * there before its answer leaves. From the journal, segments are made in the background, the longest waiting first:
 * no more than ten a second until many organizations wait, since each costs an object and an entry of a log.
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
  /** Makes the segments that are due, or all of them. Resolves when it has been tried. */
  seal(all?: boolean): Promise<void>;
  /** Journals and seals all that waits. What stays in the journal is adopted later; what did not get there is lost. */
  close(): Promise<void>;
};

const segmentsPerTurnMin = 10;
const turnsPerRound = 20;
const writersMax = 4;
const closeAttemptsMax = 3;

export function createDecisionRecorder(
  deps: DecisionRecorderDeps,
  options: DecisionRecorderOptions = {},
): DecisionRecorder {
  const recordsMax = options.recordsMax ?? 100_000;
  const charactersMax = options.charactersMax ?? 64 * 1024 * 1024;
  const buffer = createDecisionBuffer(deps, { groupFull: options.segmentRecords ?? 5_000 });
  const journal = createJournalWriter({ ...deps, buffer });
  const held = { records: 0, characters: 0 };
  const pending = new Set<Promise<void>>();
  let sealing = new Set<DecisionGroup>();
  let turn: Promise<void> | undefined;

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

  /** Where the settings cannot be had everything is kept, but no attribute. */
  async function settle(record: DecisionRecord): Promise<void> {
    const log = await deps.logs.find(record.organization).catch(() => undefined);
    keep(record, log);
  }

  function release(group: DecisionGroup): void {
    sealing.delete(group);
    buffer.forget(group);
    held.records -= group.journaled.length;
    held.characters -= group.journaled.reduce((sum, { text }) => sum + text.length, 0);
  }

  async function sealGroup(group: DecisionGroup): Promise<void> {
    const { organizationId, segmentId, parts } = group;
    const text = group.journaled.map((line) => line.text).join('');
    const content = await createDecisionSegment({ organizationId, id: segmentId }, text);
    const outcome = await sealSegment(deps, content, { segmentId, parts });
    if (outcome === 'taken')
      deps.logger.warn({ segmentId }, 'Decisions were adopted before they were sealed');
    release(group);
  }

  async function takeTurn(all: boolean): Promise<void> {
    const share = Math.max(segmentsPerTurnMin, Math.ceil(buffer.groups() / turnsPerRound));
    const begunBefore = secondsAfter(deps.clock.now(), -(options.segmentSeconds ?? 5));
    const due = all
      ? buffer.take(Number.POSITIVE_INFINITY, deps.clock.now())
      : sealing.size < share
        ? buffer.take(share - sealing.size, begunBefore)
        : [];
    sealing = new Set([...sealing, ...due]);
    await journal.flush().catch(() => undefined);
    const ready = [...sealing].filter(({ waiting }) => waiting.length === 0);
    const failed: unknown[] = [];
    await eachAtOnce(writersMax, ready, (group) =>
      sealGroup(group).catch((error) => void failed.push(error)),
    );
    if (failed.length > 0)
      deps.logger.error(
        { error: failed[0], segments: failed.length, held: held.records },
        'Decisions were not written',
      );
  }

  /** A turn that takes longer than the interval is not run twice. */
  function seal(all = false): Promise<void> {
    if (all && turn !== undefined) return turn.then(() => seal(all));
    turn ??= takeTurn(all).finally(() => {
      turn = undefined;
    });
    return turn;
  }

  const timers = [
    setInterval(() => void journal.flush().catch(() => undefined), options.journalMs ?? 500),
    setInterval(() => void seal(), options.segmentMs ?? 1_000),
  ];
  return {
    record: (record) => {
      held.records++;
      const settled = settle(record).finally(() => pending.delete(settled));
      pending.add(settled);
      return record.isPrivileged === true ? settled.then(() => journal.flush()) : undefined;
    },
    isAccepting: () => held.records < recordsMax && held.characters < charactersMax,
    journal: async () => {
      await Promise.all(pending);
      await journal.flush();
    },
    seal: async (all) => {
      await Promise.all(pending);
      await seal(all);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(pending);
      for (let attempt = 0; attempt < closeAttemptsMax && held.records > 0; attempt++) await seal(true);
      const lost = buffer.unjournaled().reduce((sum, { waiting }) => sum + waiting.length, 0);
      if (lost > 0) deps.logger.error({ records: lost }, 'Decisions are lost');
      else if (held.records > 0)
        deps.logger.warn({ records: held.records }, 'Decisions are left to adoption');
      await deps.stream.close();
    },
  };
}

async function eachAtOnce<T>(
  workersMax: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(workersMax, items.length) }, worker));
}
