import { describe, expect, test } from 'vitest';
import { narrowScopes } from './narrow-scopes.ts';
import type { BindingFact } from './policy-input.ts';

function bindAt(scope: BindingFact['scope']): BindingFact {
  return { id: 'bind_1', role: 'OrgAdmin', permissions: [], effect: 'allow', scope };
}
const tree = Array.from({ length: 5_000 }, (_, n) => `team_${n}`);
const atRoot = [bindAt({ type: 'team', id: 'team_root', descendants: tree })];
const about = (team: unknown) => ({
  type: 'document',
  id: '1',
  properties: team === undefined ? {} : { team },
});
const descendantsOf = (bindings: readonly BindingFact[]) =>
  bindings.map(({ scope }) => (scope.type === 'team' ? scope.descendants : undefined));

describe('bindings as a policy gets them', () => {
  test('name of the teams below the one that the resource belongs to', () => {
    expect(descendantsOf(narrowScopes(atRoot, about('team_4711')))).toEqual([['team_4711']]);
    const team = { type: 'team', id: 'team_3', properties: { team: 'team_4' } };
    expect(descendantsOf(narrowScopes(atRoot, team))).toEqual([['team_3']]);
  });

  test.each(['team_root', 'team_elsewhere', '', undefined, 5, null, ['team_3'], { team: 'team_3' }])(
    'name none for a resource of %j',
    (team) => {
      expect(descendantsOf(narrowScopes(atRoot, about(team)))).toEqual([[]]);
    },
  );

  test('are the same array for the same question, and the very same where there is nothing to leave out', () => {
    expect(narrowScopes(atRoot, about('team_1'))).toBe(narrowScopes(atRoot, about('team_1')));
    const flat = [
      bindAt({ type: 'organization', id: 'org_1' }),
      bindAt({ type: 'team', id: 'team_1', descendants: [] }),
    ];
    expect(narrowScopes(flat, about('team_1'))).toBe(flat);
  });

  test('are right for each of more teams than are remembered', () => {
    for (let round = 0; round < 2; round++) {
      for (const team of tree.slice(0, 100)) {
        expect(descendantsOf(narrowScopes(atRoot, about(team)))).toEqual([[team]]);
      }
    }
  });
});
