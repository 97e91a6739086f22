import { describe, expect, it } from 'vitest';
import { secondsAfter, systemClock, systemRandom } from '../kernel/index.ts';
import { type OrganizationId, organizationId } from '../organization/index.ts';
import { createDecisionBuffer } from './decision-buffer.ts';

const start = new Date('2026-01-01T00:00:00Z');
const deps = { clock: { now: () => start }, random: systemRandom };
const [a, b] = Array.from({ length: 2 }, () =>
  organizationId.create({ clock: systemClock, random: systemRandom }),
) as [OrganizationId, OrganizationId];

function createBuffer() {
  const buffer = createDecisionBuffer(deps);
  const add = (owner: OrganizationId, text: string, policyRevision = 'r1', time = start) =>
    buffer.add({ organizationId: owner, policyRevision }, { time, text });
  return { ...buffer, add };
}

describe('decision buffer', () => {
  it('never mixes organizations or policy revisions in a part', () => {
    const buffer = createBuffer();
    buffer.add(a, '1');
    buffer.add(b, '2');
    buffer.add(a, '3', 'r2');
    buffer.add(a, '4');
    const parts = buffer.drain();
    expect(parts.map(({ lines }) => lines)).toEqual(['14', '2', '3']);
    expect(parts.map(({ organizationId: owner }) => owner)).toEqual([a, b, a]);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(3);
  });

  it('gives every line once', () => {
    const buffer = createBuffer();
    buffer.add(a, '1');
    buffer.drain();
    buffer.add(a, '2');
    expect(buffer.drain().map(({ lines }) => lines)).toEqual(['2']);
    expect(buffer.drain()).toEqual([]);
  });

  it('says of what time the records of a part are, whatever their order', () => {
    const buffer = createBuffer();
    for (const seconds of [2, 1, 3]) buffer.add(a, '', 'r1', secondsAfter(start, seconds));
    expect(buffer.drain()).toMatchObject([
      { records: 3, from: secondsAfter(start, 1), to: secondsAfter(start, 3) },
    ]);
  });

  // A part is read and written whole: one caller's long lines must not make one that nobody can hold.
  it('makes several parts of what is large, with every line once and in order', () => {
    const buffer = createBuffer();
    const lines = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(16_000, '.'));
    for (const line of lines) buffer.add(a, line);
    const parts = buffer.drain();
    expect(Math.max(...parts.map((part) => part.lines.length))).toBeLessThanOrEqual(256 * 1024);
    expect(parts.map((part) => part.lines).join('')).toBe(lines.join(''));
    expect(parts.reduce((sum, { records }) => sum + records, 0)).toBe(100);
  });

  it('loses no line of anybody when parts cannot be made', () => {
    let isBroken = true;
    const bytes = (length: number) => {
      if (isBroken) throw new Error('no entropy');
      return systemRandom.bytes(length);
    };
    const buffer = createDecisionBuffer({ ...deps, random: { ...systemRandom, bytes } });
    for (const [owner, text] of [
      [a, '1'],
      [b, '2'],
    ] as const)
      buffer.add({ organizationId: owner, policyRevision: 'r1' }, { time: start, text });
    expect(() => buffer.drain()).toThrow('no entropy');
    isBroken = false;
    expect(buffer.drain().map(({ lines }) => lines)).toEqual(['1', '2']);
  });
});
