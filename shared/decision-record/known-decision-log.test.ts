import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock as clock, systemRandom as random } from '../kernel/index.ts';
import { type OrganizationId, organizationId } from '../organization/index.ts';
import type { DecisionLog } from './decision-log.ts';
import { cacheDecisionLogs } from './known-decision-log.ts';

// Time stands still until a test lets it go on.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function setUp() {
  const statements: (readonly OrganizationId[])[] = [];
  const logs = cacheDecisionLogs({
    reader: {
      findAll: async (organizations) => {
        statements.push([...organizations]);
        const log: DecisionLog = { level: 'all', masks: [] };
        return new Map(organizations.map((id) => [id, log]));
      },
    },
    feed: { epochOf: () => 0, isLive: () => true },
    clock,
    maskingKey: new Uint8Array(32),
  });
  const [a, b, c] = Array.from({ length: 3 }, () => organizationId.create({ clock, random })) as [
    OrganizationId,
    OrganizationId,
    OrganizationId,
  ];
  return { statements, logs, a, b, c };
}

describe('the settings of decision logs', () => {
  it('are asked for together, by whoever asks within some milliseconds', async () => {
    const { statements, logs, a, b, c } = setUp();
    const found = Promise.all([a, b].map((id) => logs.find(id)));
    expect(statements).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect((await found).map(({ level }) => level)).toEqual(['all', 'all']);
    const later = logs.find(c);
    await vi.advanceTimersByTimeAsync(100);
    await later;
    expect(statements).toEqual([[a, b], [c]]);
  });

  it('are sent for at once when an answer waits, with all that was asked before, also of the same organization', async () => {
    const { statements, logs, a, b } = setUp();
    const before = [logs.find(a), logs.find(b)];
    expect((await logs.find(a, { isUrgent: true })).level).toBe('all');
    await Promise.all(before);
    expect(statements).toEqual([[a, b]]);
    expect(logs.peek(b)?.level).toBe('all');
    expect(vi.getTimerCount()).toBe(0);
  });
});
