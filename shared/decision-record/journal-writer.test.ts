import { describe, expect, it } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { createDecisionBuffer } from './decision-buffer.ts';
import type { JournalPart } from './decision-journal.ts';
import { noDecisionStream } from './decision-stream.ts';
import { createJournalWriter } from './journal-writer.ts';

const owner = { organizationId: organizationId.create({ clock, random }), policyRevision: 'r1' };

/** A journal that takes each write when it is told to. */
function setUp() {
  const writes: (PromiseWithResolvers<void> & { lines: string })[] = [];
  const buffer = createDecisionBuffer({ clock, random });
  const write = (parts: readonly JournalPart[]) => {
    const fate = Promise.withResolvers<void>();
    writes.push({ ...fate, lines: parts.map(({ lines }) => lines).join('') });
    return fate.promise;
  };
  const writer = createJournalWriter({
    buffer,
    journal: { write },
    stream: noDecisionStream,
    logger: silentLogger,
    onWritten: () => undefined,
  });
  const flushed: string[] = [];
  const flush = (text: string) => {
    buffer.add(owner, { time: clock.now(), text });
    const fate = writer.flush().then(
      () => void flushed.push(text),
      () => void flushed.push(`${text} failed`),
    );
    return fate;
  };
  return { writer, writes, flushed, flush };
}

describe('journal writer', () => {
  it('keeps nobody waiting for a write that holds none of his lines', async () => {
    const { writer, writes, flushed, flush } = setUp();
    void flush('a');
    await findWrite(writes, 'a');
    const second = flush('b');
    (await findWrite(writes, 'b')).resolve();
    await second;
    expect(flushed).toEqual(['b']);
    const all = writer.flushAll().then(() => flushed.push('all'));
    writes[0]?.resolve();
    await all;
    expect(flushed).toEqual(['b', 'a', 'all']);
  });

  it('resolves for nobody before the write that took his lines, whoever began it', async () => {
    const { writes, flushed, flush } = setUp();
    const first: Promise<void>[] = [];
    for (const text of ['a', 'b', 'c']) {
      first.push(flush(text));
      await findWrite(writes, text);
    }
    const waiting = [flush('d'), flush('e')];
    writes[0]?.resolve();
    await first[0];
    const last = flush('f');
    const taker = await findWrite(writes, 'def');
    for (const write of writes) if (write !== taker) write.resolve();
    await Promise.all(first);
    expect(flushed.toSorted()).toEqual(['a', 'b', 'c']);
    taker.resolve();
    await Promise.all([...waiting, last]);
    expect(flushed.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('writes in one what comes in one turn', async () => {
    const { writes, flush } = setUp();
    const all = ['a', 'b', 'c', 'd'].map(flush);
    (await findWrite(writes, 'abcd')).resolve();
    await Promise.all(all);
    expect(writes).toHaveLength(1);
  });

  it('tells those alone whose lines were not written, and writes them again as they were', async () => {
    const { writes, flushed, flush } = setUp();
    const failing = flush('a');
    await findWrite(writes, 'a');
    const other = flush('b');
    await findWrite(writes, 'b');
    writes[0]?.reject(new Error('down'));
    writes[1]?.resolve();
    await Promise.all([failing, other]);
    expect(flushed.toSorted()).toEqual(['a failed', 'b']);
    const again = flush('c');
    (await findWrite(writes, 'a', 2)).resolve();
    (await findWrite(writes, 'c')).resolve();
    await again;
  });
});

/** The write of these lines, from this place on, once it has begun. */
async function findWrite<T extends { lines: string }>(
  writes: readonly T[],
  lines: string,
  from = 0,
): Promise<T> {
  for (let turn = 0; turn < 100; turn++) {
    const found = writes.slice(from).find((write) => write.lines === lines);
    if (found !== undefined) return found;
    await Promise.resolve();
  }
  throw new Error(`Nothing wrote ${lines}; there are ${writes.map((write) => write.lines).join(', ')}`);
}
