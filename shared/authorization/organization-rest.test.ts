import { describe, expect, it } from 'vitest';
import { secondsAfter } from '../kernel/index.ts';
import { createOrganizationRest } from './organization-rest.ts';

const start = new Date('2026-01-01T00:00:00Z');

function createRest() {
  let now = start;
  const rest = createOrganizationRest({ clock: { now: () => now } });
  const blame = (organization: string, times: number) => {
    for (let n = 0; n < times; n++) rest.blame(organization);
  };
  return {
    blame,
    isResting: rest.isResting,
    pass: (seconds: number) => {
      now = secondsAfter(now, seconds);
    },
  };
}

describe('an organization', () => {
  it('rests for ten seconds after too many ended questions, and no other does', () => {
    const rest = createRest();
    rest.blame('a', 10);
    expect(rest.isResting('a')).toBe(false);
    rest.blame('a', 1);
    expect([rest.isResting('a'), rest.isResting('b')]).toEqual([true, false]);
    rest.pass(10);
    expect(rest.isResting('a')).toBe(false);
  });

  // Threat: a rest that is slept through begins the count anew, and the thread is taken again and again.
  it('rests again after each further one, until a minute has passed without any', () => {
    const rest = createRest();
    rest.blame('a', 11);
    rest.pass(11);
    rest.blame('a', 1);
    expect(rest.isResting('a')).toBe(true);
    rest.pass(61);
    rest.blame('a', 10);
    expect(rest.isResting('a')).toBe(false);
  });
});
