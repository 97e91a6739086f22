import type { SubjectReference } from './policy-input.ts';
import { type SubjectFacts, type SubjectFactsSource, unknownSubjectFacts } from './subject-facts.ts';

export type MemorySubjectFacts = SubjectFactsSource & {
  set(subject: SubjectReference, facts: SubjectFacts): void;
};

/** Facts held in a map, for tests. */
export function createMemorySubjectFacts(): MemorySubjectFacts {
  const known = new Map<string, SubjectFacts>();
  const keyOf = (organizationId: string, { type, id }: SubjectReference) =>
    JSON.stringify([organizationId, type, id]);
  return {
    set: (subject, facts) => void known.set(keyOf(facts.organization.id, subject), facts),
    find: async (organizationId, subject) =>
      known.get(keyOf(organizationId, subject)) ?? unknownSubjectFacts(organizationId),
  };
}
