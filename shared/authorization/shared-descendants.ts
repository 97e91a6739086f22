import { LRUCache } from 'lru-cache';
import type { BindingFact } from './policy-input.ts';
import type { SubjectFacts } from './subject-facts.ts';

/** Ids of teams; some 60 bytes each. */
const teamsMax = 500_000;

/**
 * Lets all whose bindings stand at the same team share one list of the teams below it: of a tree of thousands, each
 * member of an organization would otherwise have a list of its own. The list is of one state of the tree, which the
 * revision of subjects' facts tells.
 */
export function createDescendantSharing(): (facts: SubjectFacts) => SubjectFacts {
  const lists = new LRUCache<string, readonly string[]>({
    max: 10_000,
    maxSize: teamsMax,
    sizeCalculation: (teams) => teams.length,
  });
  const share = (binding: BindingFact, state: string): BindingFact => {
    const { scope } = binding;
    if (scope.type !== 'team' || scope.descendants.length === 0) return binding;
    const key = `${state} ${scope.id}`;
    const known = lists.get(key);
    if (known === undefined) lists.set(key, scope.descendants);
    return known?.length === scope.descendants.length
      ? { ...binding, scope: { ...scope, descendants: known } }
      : binding;
  };
  return (facts) => {
    if (facts.revision === undefined || facts.bindings.length === 0) return facts;
    const state = `${facts.organization.id} ${facts.revision.subjects}`;
    return { ...facts, bindings: facts.bindings.map((binding) => share(binding, state)) };
  };
}
