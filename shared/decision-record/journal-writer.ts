import type { Logger } from '../telemetry/index.ts';
import type { DecisionBuffer } from './decision-buffer.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';
import type { DecisionStream } from './decision-stream.ts';

export type JournalWriterDeps = {
  readonly buffer: Pick<DecisionBuffer, 'drain'>;
  readonly journal: Pick<DecisionJournal, 'write'>;
  readonly stream: Pick<DecisionStream, 'send'>;
  readonly logger: Logger;
  /** The journal holds them now. */
  onWritten(parts: readonly JournalPart[]): void;
};

/**
 * `flush` resolves when all lines that waited when it was called are in the journal. One write at a time; whoever
 * asks meanwhile shares the next, so a thousand privileged questions a second share a few hundred commits.
 */
export type JournalWriter = { flush(): Promise<void> };

export function createJournalWriter(deps: JournalWriterDeps): JournalWriter {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  /** A write whose fate is not known is repeated as it was: the parts that are there already are left as they are. */
  let unsure: JournalPart[][] = [];

  async function write(): Promise<void> {
    unsure = [...unsure, ...inBatches(deps.buffer.drain())];
    for (let batch = unsure[0]; batch !== undefined; batch = unsure[0]) {
      await writeParts(batch);
      unsure = unsure.slice(1);
    }
  }

  async function writeParts(parts: readonly JournalPart[]): Promise<void> {
    try {
      await deps.journal.write(parts);
    } catch (error) {
      deps.logger.error({ error, parts: parts.length }, 'Decisions were not journaled');
      throw error;
    }
    deps.onWritten(parts);
    deps.stream.send(parts);
  }

  function flush(): Promise<void> {
    if (running === undefined) {
      running = write().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return flush();
      });
    return next;
  }
  return { flush };
}

/** Made into one text on the thread that answers questions: a few milliseconds. */
const batchCharactersMax = 1024 * 1024;

function inBatches(parts: readonly JournalPart[]): JournalPart[][] {
  const batches: JournalPart[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    characters += part.lines.length;
    if (characters > batchCharactersMax) {
      batches.push([]);
      characters = part.lines.length;
    }
    batches.at(-1)?.push(part);
  }
  return batches;
}
