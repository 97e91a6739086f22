import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFactsPacker } from './packed-facts.ts';
import type { BindingFact } from './policy-input.ts';
import type { SubjectFacts } from './subject-facts.ts';

const facts: SubjectFacts = {
  organization: { id: 'org_1', status: 'active' },
  subject: { known: true, status: 'active', teams: ['team_1'], scopes: ['a:*'], expires_at: 5 },
  bindings: [],
  resourceTypes: ['document'],
  revision: { data: 3, subjects: 2, resources: 1 },
};
const bound = (scope: BindingFact['scope']): SubjectFacts => ({
  ...facts,
  bindings: [{ id: 'bind_1', role: 'r', permissions: ['a:b'], effect: 'deny', scope, expires_at: 9 }],
});

/** So many others read that nothing of a subject is unpacked any more. */
function readOthers({ pack }: ReturnType<typeof createFactsPacker>): void {
  for (let n = 0; n < 1_000; n++) pack({ ...facts, organization: { id: `org_${n}`, status: 'active' } });
}

describe('packed facts', () => {
  test('come out as they went in', () => {
    const packer = createFactsPacker();
    const scopes: BindingFact['scope'][] = [
      { type: 'organization', id: 'org_1' },
      { type: 'team', id: 'team_1', descendants: [] },
      { type: 'team', id: 'team_1', descendants: ['team_2'] },
      { type: 'resource', id: 'document:"\\u0000é' },
    ];
    const packed = scopes.map((scope) => packer.pack(bound(scope)));
    readOthers(packer);
    expect(packed.map(packer.unpack)).toEqual(scopes.map(bound));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (id) => {
        const one = packer.pack({ ...facts, subject: { ...facts.subject, teams: [id] } });
        readOthers(packer);
        expect(packer.unpack(one).subject.teams).toEqual([id]);
      }),
      { numRuns: 20 },
    );
  });

  test('are one object for whoever asks together, and for whoever asks again', () => {
    const packer = createFactsPacker();
    const packed = packer.pack(facts);
    expect(packer.unpack(packed)).toBe(facts);
    readOthers(packer);
    const again = packer.unpack(packed);
    expect(again).not.toBe(facts);
    expect(packer.unpack(packed)).toBe(again);
  });

  // Threat: a few thousand subjects with a thousand bindings each take the memory of everybody.
  test('are kept unpacked only as far as there is room for their text', () => {
    const packer = createFactsPacker({ charactersMax: 10_000 });
    const large = { ...facts, subject: { ...facts.subject, teams: ['x'.repeat(3_000)] } };
    const packed = Array.from({ length: 5 }, () => packer.pack(large));
    readOthers(packer);
    const first = packed.map(packer.unpack);
    // Of the last asked about, three fit; looking at them changes nothing.
    const again = packed.toReversed().map(packer.unpack).toReversed();
    expect(again.map((each, place) => each === first[place])).toEqual([false, false, true, true, true]);
    expect(again).toEqual(first);
    const tooLarge = packer.pack({ ...large, subject: { ...large.subject, teams: ['x'.repeat(20_000)] } });
    readOthers(packer);
    expect(packer.unpack(tooLarge)).toEqual(packer.unpack(tooLarge));
  });

  test('go on sharing the lists that are shared', () => {
    const packer = createFactsPacker();
    const descendants = ['team_2', 'team_3'];
    const shared = (id: string) => bound({ type: 'team', id, descendants });
    const [packed, other] = [packer.pack(shared('team_1')), packer.pack(shared('team_2'))];
    readOthers(packer);
    expect(packed.text).not.toContain('team_3');
    expect(packer.sizeOf(packed)).toBeGreaterThan(packed.text.length + 100);
    for (const each of [packed, other]) {
      const scope = packer.unpack(each).bindings[0]?.scope;
      expect(scope?.type === 'team' && scope.descendants).toBe(descendants);
    }
  });

  test('give each binding its own list back', () => {
    const packer = createFactsPacker();
    const scopes: BindingFact['scope'][] = [
      { type: 'team', id: 'team_1', descendants: [] },
      { type: 'organization', id: 'org_1' },
      { type: 'team', id: 'team_2', descendants: ['team_3'] },
      { type: 'resource', id: 'document:1' },
      { type: 'team', id: 'team_4', descendants: ['team_5', 'team_6'] },
    ];
    const several = { ...facts, bindings: scopes.flatMap((scope) => bound(scope).bindings) };
    const packed = packer.pack(several);
    readOthers(packer);
    expect(packer.unpack(packed)).toEqual(several);
  });
});
