import { describe, expect, it } from 'vitest';
import { secondsAfter, systemClock, systemRandom } from '../kernel/index.ts';
import { type OrganizationId, organizationId } from '../organization/index.ts';
import { createDecisionBuffer, type DecisionGroup } from './decision-buffer.ts';

const start = new Date('2026-01-01T00:00:00Z');
const deps = { clock: { now: () => start }, random: systemRandom };
const organizations = Array.from({ length: 3 }, () =>
  organizationId.create({ clock: systemClock, random: systemRandom }),
);
const [a, b, c] = organizations as [OrganizationId, OrganizationId, OrganizationId];

function createBuffer(groupFull = 100) {
  const buffer = createDecisionBuffer(deps, { groupFull });
  const add = (owner: OrganizationId, text = 'line', policyRevision = 'r1') =>
    buffer.add({ organizationId: owner, policyRevision }, { time: start, text });
  return { ...buffer, add };
}

const owners = (groups: DecisionGroup[]) => groups.map((group) => group.organizationId);
const textOf = ({ waiting }: DecisionGroup) => waiting.map(({ text }) => text);

describe('decision buffer', () => {
  it('never mixes organizations or policy revisions in a group', () => {
    const buffer = createBuffer();
    buffer.add(a, '1');
    buffer.add(b, '2');
    buffer.add(a, '3', 'r2');
    buffer.add(a, '4');
    expect(buffer.take(10, start).map(textOf)).toEqual([['1', '4'], ['2'], ['3']]);
  });

  it('gives those who wait longest first, and adds nothing to what was taken', () => {
    const buffer = createBuffer();
    for (const owner of [a, b, c, a]) buffer.add(owner);
    const [taken] = buffer.take(1, start);
    expect(taken?.organizationId).toBe(a);
    buffer.add(a);
    expect(taken?.waiting).toHaveLength(2);
    expect(owners(buffer.take(2, start))).toEqual([b, c]);
    expect(owners(buffer.take(2, start))).toEqual([a]);
    expect(buffer.groups()).toBe(0);
  });

  it('gives no group that began after the instant, unless it is full, however many others wait longer', () => {
    const buffer = createBuffer(2);
    for (const owner of [a, b, b, b]) buffer.add(owner);
    const before = secondsAfter(start, -1);
    expect(owners(buffer.take(1, before))).toEqual([b]);
    expect(buffer.take(5, before)).toEqual([]);
    expect(owners(buffer.take(5, start))).toEqual([a, b]);
  });

  it('knows of every line that is not journaled, taken or not', () => {
    const buffer = createBuffer(2);
    for (const owner of [a, b, b, c]) buffer.add(owner);
    buffer.take(1, start);
    expect(owners(buffer.unjournaled()).sort()).toEqual([a, b, c].sort());
  });
});
