import { createTransientSet } from '../kernel/index.ts';
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
 * A few writes at once, so that whoever waits for one does not wait for the one before too; whoever asks while all are
 * at work shares the next, so a thousand privileged questions a second share a few hundred commits.
 */
export type JournalWriter = {
  /** Resolves when the lines that wait now are in the journal. */
  flush(): Promise<void>;
  /** Also those that other flushes are writing. */
  flushAll(): Promise<void>;
};

const writesMax = 3;

export function createJournalWriter(deps: JournalWriterDeps): JournalWriter {
  const running = createTransientSet<Promise<void>>();
  /** The fate of the lines that wait, whichever write takes them. */
  let waiting = openFate();
  let isBeginDue = false;
  /** Writes whose fate is not known are repeated as they were: parts that are there already are left as they are. */
  const unsure: JournalPart[][] = [];

  async function write(): Promise<void> {
    const batches = [...unsure.splice(0), ...inBatches(deps.buffer.drain())];
    for (const [place, batch] of batches.entries()) {
      try {
        await deps.journal.write(batch);
      } catch (error) {
        unsure.push(...batches.slice(place));
        deps.logger.error({ error, parts: batch.length }, 'Decisions were not journaled');
        throw error;
      }
      deps.onWritten(batch);
      deps.stream.send(batch);
    }
  }

  function begin(): void {
    const taken = waiting;
    waiting = openFate();
    const own = taken.promise.finally(() => running.delete(own));
    running.add(own);
    own.catch(() => undefined);
    write().then(taken.resolve, taken.reject);
  }

  /** Lines that come in the same turn, or while all writes are at work, share one. */
  async function beginSoon(): Promise<void> {
    isBeginDue = true;
    await (running.size < writesMax ? undefined : Promise.race(running).catch(() => undefined));
    isBeginDue = false;
    begin();
  }

  function flush(): Promise<void> {
    const { promise } = waiting;
    if (!isBeginDue) void beginSoon();
    return promise;
  }
  return {
    flush,
    flushAll: async () => {
      await Promise.all([...running, flush()]);
    },
  };
}

/** Nobody need wait for it. */
function openFate(): PromiseWithResolvers<void> {
  const fate = Promise.withResolvers<void>();
  fate.promise.catch(() => undefined);
  return fate;
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
