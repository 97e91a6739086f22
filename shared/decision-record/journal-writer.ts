import type { Logger } from '../telemetry/index.ts';
import type { BufferedLine, DecisionBuffer, DecisionGroup } from './decision-buffer.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';
import type { DecisionStream } from './decision-stream.ts';

export type JournalWriterDeps = {
  readonly buffer: Pick<DecisionBuffer, 'unjournaled'>;
  readonly journal: DecisionJournal;
  readonly stream: Pick<DecisionStream, 'send'>;
  readonly logger: Logger;
};

/**
 * `flush` resolves when all lines that waited when it was called are in the journal. One write at a time; whoever
 * asks meanwhile shares the next, so a thousand privileged questions a second share a few hundred commits.
 */
export type JournalWriter = { flush(): Promise<void> };

type Taken = { readonly group: DecisionGroup; readonly lines: BufferedLine[]; readonly part: JournalPart };

export function createJournalWriter(deps: JournalWriterDeps): JournalWriter {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  /** A write whose fate is not known is repeated as it was: the parts that are there already are left as they are. */
  let unsure: Taken[] = [];

  async function write(): Promise<void> {
    await writeParts(unsure);
    for (const taken of inBatches(deps.buffer.unjournaled())) await writeParts(taken);
  }

  async function writeParts(taken: Taken[]): Promise<void> {
    if (taken.length === 0) return;
    unsure = taken;
    const parts = taken.map(({ part }) => part);
    try {
      await deps.journal.write(parts);
    } catch (error) {
      deps.logger.error({ error, parts: taken.length }, 'Decisions were not journaled');
      throw error;
    }
    unsure = [];
    for (const { group, lines } of taken) settle(group, lines);
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

function* inBatches(groups: readonly DecisionGroup[]): Generator<Taken[]> {
  let batch: Taken[] = [];
  let characters = 0;
  for (const group of groups) {
    const taken = take(group);
    batch.push(taken);
    characters += taken.part.lines.length;
    if (characters < batchCharactersMax) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  yield batch;
}

function take(group: DecisionGroup): Taken {
  const lines = [...group.waiting];
  return { group, lines, part: toPart(group, lines) };
}

/** Lines that came while the write was under way go on waiting. */
function settle(group: DecisionGroup, lines: readonly BufferedLine[]): void {
  group.waiting = group.waiting.slice(lines.length);
  group.journaled.push(...lines);
  group.parts++;
}

function toPart(group: DecisionGroup, lines: readonly BufferedLine[]): JournalPart {
  const times = lines.map(({ time }) => time.getTime());
  return {
    organizationId: group.organizationId,
    segmentId: group.segmentId,
    part: group.parts,
    records: lines.length,
    from: new Date(times.reduce((a, b) => Math.min(a, b))),
    to: new Date(times.reduce((a, b) => Math.max(a, b))),
    lines: lines.map(({ text }) => text).join(''),
  };
}
