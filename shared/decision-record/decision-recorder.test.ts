import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemRandom as random } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import type { DecisionRecord } from './decision-record.ts';
import { createDecisionRecorder } from './decision-recorder.ts';
import { noDecisionStream } from './decision-stream.ts';

// Time stands still until a test lets it go on, and the recorder is the one that functions open: without options.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** What authorize/README.md promises: ten times a second. */
const journalMs = 100;

/** A recorder whose journal takes `insertMs` for each insert and notes when it was given which record. */
function setUp(insertMs: number) {
  const state = { now: 0 };
  const clock = { now: () => new Date(Date.UTC(2026, 0, 1) + state.now) };
  const organization = organizationId.create({ clock, random });
  const written = new Map<string, number>();
  const given = new Map<string, number>();
  const log = { level: 'all', mask: () => ({ text: '{}', masked: [] }) } as const;
  const recorder = createDecisionRecorder({
    logs: { peek: () => log, find: async () => log },
    journal: {
      write: async (parts) => {
        const ids = parts.flatMap(({ lines }) => [...lines.matchAll(/"request_id":"([^"]+)"/g)]);
        for (const [, id = ''] of ids) written.set(id, state.now);
        await new Promise((resolve) => setTimeout(resolve, insertMs));
      },
    },
    stream: noDecisionStream,
    clock,
    random,
    logger: silentLogger,
  });
  return {
    recorder,
    written,
    /** How long each record waited for the insert that took it; not a number: none did. */
    waits: () => [...given].map(([id, at]) => (written.get(id) ?? Number.NaN) - at),
    give: (id: string, more: Partial<DecisionRecord> = {}) => {
      given.set(id, state.now);
      return recorder.record({
        time: clock.now(),
        organization,
        requestId: id,
        principal: { type: 'service_account', id: 'sa_1', credential: 'key_1' },
        subject: { type: 'user', id: 'usr_1' },
        action: 'read',
        resource: { type: 'document', id: '1' },
        decision: false,
        code: 'not_permitted',
        rule: 'no_grant',
        binding: undefined,
        policyRevision: 'r1',
        ...more,
      });
    },
    pass: async (milliseconds: number) => {
      for (let ms = 0; ms < milliseconds; ms++) {
        state.now++;
        await vi.advanceTimersByTimeAsync(1);
      }
    },
  };
}

describe('a decision recorder as functions open it', () => {
  // An instance that is killed loses what no insert has taken.
  it.each([0, 30, 250])(
    'gives each record to the journal within a tenth of a second, where an insert takes %i ms',
    async (insertMs) => {
      const { give, pass, waits } = setUp(insertMs);
      for (let n = 0; n < 150; n++) {
        give(`r-${n}`);
        await pass(7);
      }
      await pass(journalMs);
      expect(waits()).toHaveLength(150);
      expect(waits().filter((wait) => !(wait <= journalMs))).toEqual([]);
    },
  );

  it('waits for no more than the insert that has room when inserts take longer than all of them together', async () => {
    const insertMs = 450;
    const { give, pass, waits } = setUp(insertMs);
    for (let n = 0; n < 150; n++) {
      give(`r-${n}`);
      await pass(7);
    }
    await pass(journalMs + insertMs);
    expect(waits().filter((wait) => !(wait <= journalMs + insertMs))).toEqual([]);
  });

  it('gives a privileged record to the journal at once, and tells when it is there and not before', async () => {
    const { give, pass, written } = setUp(30);
    const told: string[] = [];
    give('ordinary');
    void give('privileged', { decision: true, isPrivileged: true })?.then(() => told.push('durable'));
    await pass(1);
    expect([...written.keys()]).toEqual(['ordinary', 'privileged']);
    await pass(28);
    expect(told).toEqual([]);
    await pass(2);
    expect(told).toEqual(['durable']);
  });
});
