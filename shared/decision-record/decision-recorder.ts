import type { Clock, Random } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { createDecisionBuffer } from './decision-buffer.ts';
import type { DecisionRecord } from './decision-record.ts';
import { createDecisionSegment, type DecisionSegment } from './decision-segment.ts';
import { type WriteDecisionSegmentDeps, writeDecisionSegment } from './write-decision-segment.ts';

export type DecisionRecorderDeps = WriteDecisionSegmentDeps & {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type DecisionRecorderOptions = {
  readonly intervalMs?: number;
  /** An organization with this many waiting is written at the next turn, whoever waits longer. */
  readonly segmentRecords?: number;
  /** Beyond it the recorder is full: its owner must stop deciding. About 500 bytes each. */
  readonly recordsMax?: number;
};

/**
 * Keeps decisions and writes them in the background. Loss bound: a crash loses what was decided since the last turn
 * (1 s); with more than 10 organizations active in one instance, up to twenty turns. That keeps segments worth their
 * cost: 200 active organizations make 10 segments a second, not 200.
 */
export type DecisionRecorder = {
  /** Synchronous and never fails. */
  record(record: DecisionRecord): void;
  /** False while nothing more can be kept, because segments could not be written for long. */
  isAccepting(): boolean;
  /** One turn now. Resolves when it has been tried. */
  flush(): Promise<void>;
  /** Writes all that waits, giving up after some failures, which are logged with how many records are lost. */
  close(): Promise<void>;
};

const groupsPerTurnMin = 10;
const turnsPerRound = 20;
const writersMax = 4;
const closeAttemptsMax = 3;

export function createDecisionRecorder(
  deps: DecisionRecorderDeps,
  options: DecisionRecorderOptions = {},
): DecisionRecorder {
  const recordsMax = options.recordsMax ?? 100_000;
  const buffer = createDecisionBuffer({ groupFull: options.segmentRecords ?? 5_000 });
  let held = 0;
  let unwritten: DecisionSegment[] = [];
  let turn: Promise<void> | undefined;

  /** Segments are made one by one as writers get to them: making all at once would stop the event loop. */
  async function write<T>(
    items: readonly T[],
    toSegment: (item: T) => Promise<DecisionSegment>,
  ): Promise<void> {
    const failed: { segment: DecisionSegment; error: unknown }[] = [];
    await eachAtOnce(writersMax, items, async (item) => {
      const segment = await toSegment(item);
      try {
        await writeDecisionSegment(deps, segment);
        held -= segment.count;
      } catch (error) {
        failed.push({ segment, error });
      }
    });
    unwritten = failed.map(({ segment }) => segment);
    if (failed.length === 0) return;
    const [first] = failed;
    deps.logger.error({ error: first?.error, segments: failed.length, held }, 'Decisions were not written');
  }

  /** While what is left over cannot be written, nothing is added to it. */
  async function takeTurn(groupsMax: number): Promise<void> {
    await write(unwritten, async (segment) => segment);
    if (unwritten.length > 0) return;
    await write(buffer.take(groupsMax), (records) => createDecisionSegment(deps, records));
  }

  /** A turn that takes longer than the interval is not run twice. */
  function flush(): Promise<void> {
    const share = Math.max(groupsPerTurnMin, Math.ceil(buffer.groups() / turnsPerRound));
    turn ??= takeTurn(share).finally(() => {
      turn = undefined;
    });
    return turn;
  }

  const timer = setInterval(() => void flush(), options.intervalMs ?? 1_000);
  return {
    record: (record) => {
      held++;
      buffer.add(record);
    },
    isAccepting: () => held < recordsMax,
    flush,
    close: async () => {
      clearInterval(timer);
      await turn;
      for (let attempt = 0; attempt < closeAttemptsMax && held > 0; attempt++) {
        await takeTurn(Number.POSITIVE_INFINITY);
      }
      if (held > 0) deps.logger.error({ records: held }, 'Decisions are lost');
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
