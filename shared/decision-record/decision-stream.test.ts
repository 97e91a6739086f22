import { describe, expect, it } from 'vitest';
import { createMemoryPublisher } from '../events/publisher.memory.ts';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { decisionSegmentId } from './decision-buffer.ts';
import type { JournalPart } from './decision-journal.ts';
import { createDecisionStream } from './decision-stream.ts';

const ambient = { clock: systemClock, random: systemRandom };
const owner = organizationId.create(ambient);
const id = decisionSegmentId.create(ambient);

function part(lines: readonly object[]): JournalPart {
  return {
    organizationId: owner,
    id,
    place: 3,
    records: lines.length,
    from: new Date(0),
    to: new Date(1_000),
    lines: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  };
}

function open(publisher = createMemoryPublisher()) {
  const warnings: object[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
  const stream = createDecisionStream({ publisher, source: 'uos/test', logger });
  const events = () => publisher.accepted.map(({ value }) => JSON.parse(`${value}`));
  return { stream, publisher, warnings, events };
}

describe('the stream of decisions', () => {
  it('is one event a flush and organization, by which a consumer can drop what it has', async () => {
    const { stream, publisher, events } = open();
    stream.send([part([{ n: 1 }, { n: 2 }])]);
    await stream.close();
    expect(publisher.accepted).toMatchObject([{ topic: 'audit.decision', key: owner }]);
    expect(events()).toEqual([
      {
        specversion: '1.0',
        id: `${id}.3.0`,
        source: 'uos/test',
        type: 'uos.decision.recorded.v1',
        subject: id,
        time: '1970-01-01T00:00:01.000Z',
        datacontenttype: 'application/json',
        orgid: owner,
        partitionkey: owner,
        data: { records: [{ n: 1 }, { n: 2 }] },
      },
    ]);
  });

  it('is in more events where one would grow too large for a topic, each with an id of its own', async () => {
    const { stream, publisher, events } = open();
    stream.send([part(Array.from({ length: 500 }, (_, n) => ({ n, text: 'x'.repeat(1_000) })))]);
    await stream.close();
    expect(new Set(events().map(({ id }) => id)).size).toBe(3);
    expect(events().flatMap(({ data }) => data.records.map(({ n }: { n: number }) => n))).toEqual(
      Array.from({ length: 500 }, (_, n) => n),
    );
    for (const { value } of publisher.accepted) expect(value.length).toBeLessThan(256 * 1024);
  });

  // Threat: a broker that accepts nothing and answers nothing fills the memory of the decision point.
  it('keeps no more than its bound for a broker that does not answer, and says what it dropped', async () => {
    const answered = Promise.withResolvers<void>();
    const sent: number[] = [];
    const publisher = {
      publish: async (messages: readonly unknown[]) => {
        sent.push(messages.length);
        if (sent.length === 1) await answered.promise;
        throw new Error('down');
      },
      close: async () => undefined,
    };
    const warnings: { dropped?: number }[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    const stream = createDecisionStream({ publisher, source: 'uos/test', logger });
    const large = part(Array.from({ length: 190 }, () => ({ text: 'x'.repeat(1_000) })));
    for (let n = 0; n < 200; n++) stream.send([large]);
    answered.resolve();
    await stream.close();
    expect(sent[0]).toBe(1);
    expect(sent[1]).toBeLessThan(100);
    expect(warnings.at(-1)?.dropped).toBe(200);
  });
});
