import { describe, expect, test } from 'vitest';
import { createTeamTree, rememberTeamTrees } from './team-trees.ts';

const all = 1_000_000;

describe('a tree of teams', () => {
  const tree = createTeamTree({ root: ['b', 'a'], a: ['d'], d: ['c'] }, 7);

  test('names all below one, in the order of their ids', () => {
    expect(tree.below('root', all)).toEqual(['a', 'b', 'c', 'd']);
    expect(tree.below('a', all)).toEqual(['c', 'd']);
    expect(tree.below('b', all)).toEqual([]);
    expect(tree.below('nowhere', all)).toEqual([]);
    expect(tree.below('__proto__', all)).toEqual([]);
    expect(tree).toMatchObject({ revision: 7, teams: 4 });
  });

  test('has one list for all who ask', () => {
    expect(tree.below('root', all)).toBe(tree.below('root', all));
  });

  test('ends where the teams go in a circle', () => {
    const ring = createTeamTree({ a: ['b'], b: ['c'], c: ['a'] }, 1);
    expect(ring.below('b', all)).toEqual(['a', 'b', 'c']);
  });

  test('keeps no more of its lists than it has room for, and tells all of them', () => {
    const names = Array.from({ length: 400 }, (_, n) => `team_${String(n).padStart(3, '0')}`);
    const chain = createTeamTree(
      Object.fromEntries(names.slice(1).map((child, n) => [names[n] ?? '', [child]])),
      1,
    );
    for (const [n, name] of names.entries()) expect(chain.below(name, all)).toEqual(names.slice(n + 1));
    const first = names.map((name) => chain.below(name, all));
    const kept = names.filter((name, n) => chain.below(name, all) === first[n]);
    const ids = kept.reduce((sum, name) => sum + (chain.below(name, all) ?? []).length, 0);
    expect(ids).toBeLessThanOrEqual(8 * 399);
    expect(kept.length).toBeGreaterThan(1);
  });
});

test('a list that is longer than asked for is not made', () => {
  const names = Array.from({ length: 5_000 }, (_, n) => `team_${n}`);
  const chain = createTeamTree(
    Object.fromEntries(names.slice(1).map((child, n) => [names[n] ?? '', [child]])),
    1,
  );
  for (const max of [0, 10, 4_998]) expect(chain.below('team_0', max)).toBeUndefined();
  expect(chain.below('team_0', 4_999)).toHaveLength(4_999);
  expect(chain.below('team_0', 4_998)).toBeUndefined();
});

describe('the trees that are remembered', () => {
  const tree = createTeamTree({ root: ['a'] }, 7);

  test('have a bounded number of teams', () => {
    const trees = rememberTeamTrees(undefined);
    const children = { root: Array.from({ length: 50_000 }, (_, n) => `team_${n}`) };
    for (let n = 0; n < 20; n++) trees.set(`org_${n}`, createTeamTree(children, 1), trees.epoch());
    const kept = Array.from({ length: 20 }, (_, n) => trees.get(`org_${n}`));
    expect(kept.filter((one) => one !== undefined)).toHaveLength(9);
  });

  // Threat: after a failover that lost commits a revision names another state of the teams than before.
  test('are not believed once the feed was lost, even if they were read before and come later', () => {
    const state = { live: true, epoch: 1 };
    const trees = rememberTeamTrees({ epochOf: () => state.epoch, isLive: () => state.live });
    const before = trees.epoch();
    trees.set('org_1', tree, before);
    expect(trees.get('org_1')).toBe(tree);
    state.live = false;
    expect(trees.get('org_1')).toBeUndefined();
    state.live = true;
    state.epoch = 2;
    expect(trees.get('org_1')).toBeUndefined();
    trees.set('org_1', tree, before);
    expect(trees.get('org_1')).toBeUndefined();
    trees.set('org_1', tree, trees.epoch());
    expect(trees.get('org_1')).toBe(tree);
  });
});
