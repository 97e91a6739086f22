import { createRecentMemo } from '../kernel/index.ts';
import type { BindingFact, PolicyInput } from './policy-input.ts';

/** For one set of bindings, by the team that a question is about; undefined: one that lies below none of theirs. */
type Narrowed = Map<string | undefined, readonly BindingFact[]>;

const narrowed = createRecentMemo<readonly BindingFact[], Narrowed>();
const sets = new WeakMap<readonly string[], ReadonlySet<string>>();
/** Most subjects are asked about in a few teams. */
const teamsKept = 16;

/**
 * The bindings as the policy gets them: of the teams below a binding's own, the one alone that the resource belongs to.
 * A binding at the root of a large tree names thousands, and each question would carry them all. The same bindings
 * come back as the same array, so that their text is written once.
 */
export function narrowScopes(
  bindings: readonly BindingFact[],
  resource: Pick<PolicyInput['resource'], 'type' | 'id' | 'properties'>,
): readonly BindingFact[] {
  if (!bindings.some(hasDescendants)) return bindings;
  const asked = resource.type === 'team' ? resource.id : resource.properties.team;
  // What a caller made up is no key to remember anything by.
  const team = typeof asked === 'string' && bindings.some((each) => isBelow(each, asked)) ? asked : undefined;
  const known: Narrowed = narrowed.get(bindings) ?? new Map();
  const before = known.get(team);
  if (before !== undefined) return before;
  if (known.size >= teamsKept) known.clear();
  const now = bindings.map((binding) => narrowScope(binding, team));
  if (known.size === 0) narrowed.set(bindings, known);
  known.set(team, now);
  return now;
}

function hasDescendants({ scope }: BindingFact): boolean {
  return scope.type === 'team' && scope.descendants.length > 0;
}

function isBelow({ scope }: BindingFact, team: unknown): team is string {
  return typeof team === 'string' && scope.type === 'team' && toSet(scope.descendants).has(team);
}

function narrowScope(binding: BindingFact, team: string | undefined): BindingFact {
  const { scope } = binding;
  if (scope.type !== 'team') return binding;
  return { ...binding, scope: { ...scope, descendants: isBelow(binding, team) ? [team] : [] } };
}

function toSet(teams: readonly string[]): ReadonlySet<string> {
  const known = sets.get(teams);
  if (known !== undefined) return known;
  const set = new Set(teams);
  sets.set(teams, set);
  return set;
}
