import { describe, expect, test } from 'vitest';
import { createTeamTree, rememberTeamTrees } from './team-trees.ts';

describe('a tree of teams', () => {
  const tree = createTeamTree({ root: ['b', 'a'], a: ['d'], d: ['c'] }, 7);

  test('names all below one, in the order of their ids', () => {
    expect(tree.below('root')).toEqual(['a', 'b', 'c', 'd']);
    expect(tree.below('a')).toEqual(['c', 'd']);
    expect(tree.below('b')).toEqual([]);
    expect(tree.below('nowhere')).toEqual([]);
    expect(tree.below('__proto__')).toEqual([]);
    expect(tree).toMatchObject({ revision: 7, teams: 4 });
  });

  test('has one list for all who ask', () => {
    expect(tree.below('root')).toBe(tree.below('root'));
  });

  test('ends where the teams go in a circle', () => {
    const ring = createTeamTree({ a: ['b'], b: ['c'], c: ['a'] }, 1);
    expect(ring.below('b')).toEqual(['a', 'b', 'c']);
  });

  test('keeps no more of its lists than it has room for, and tells all of them', () => {
    const names = Array.from({ length: 400 }, (_, n) => `team_${String(n).padStart(3, '0')}`);
    const chain = createTeamTree(
      Object.fromEntries(names.slice(1).map((child, n) => [names[n] ?? '', [child]])),
      1,
    );
    for (const [n, name] of names.entries()) expect(chain.below(name)).toEqual(names.slice(n + 1));
    const first = names.map((name) => chain.below(name));
    const kept = names.filter((name, n) => chain.below(name) === first[n]);
    const ids = kept.reduce((sum, name) => sum + chain.below(name).length, 0);
    expect(ids).toBeLessThanOrEqual(8 * 399);
    expect(kept.length).toBeGreaterThan(1);
  });
});

test('the trees that are remembered have a bounded number of teams', () => {
  const trees = rememberTeamTrees();
  const children = { root: Array.from({ length: 50_000 }, (_, n) => `team_${n}`) };
  for (let n = 0; n < 20; n++) trees.set(`org_${n}`, createTeamTree(children, 1));
  const kept = Array.from({ length: 20 }, (_, n) => trees.get(`org_${n}`)).filter(
    (tree) => tree !== undefined,
  );
  expect(kept).toHaveLength(9);
});
