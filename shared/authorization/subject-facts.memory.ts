import type { ResourceReference, SubjectReference } from './policy-input.ts';
import {
  type ResourceFacts,
  type SubjectFacts,
  type SubjectFactsSource,
  unknownSubjectFacts,
} from './subject-facts.ts';

export type MemorySubjectFacts = SubjectFactsSource & {
  set(subject: SubjectReference, facts: SubjectFacts): void;
  register(organizationId: string, resource: ResourceReference, facts: ResourceFacts): void;
};

/** Facts held in maps, for tests. */
export function createMemorySubjectFacts(): MemorySubjectFacts {
  const known = new Map<string, SubjectFacts>();
  const registered = new Map<string, ResourceFacts>();
  const keyOf = (organizationId: string, { type, id }: SubjectReference | ResourceReference) =>
    JSON.stringify([organizationId, type, id]);
  return {
    set: (subject, facts) => void known.set(keyOf(facts.organization.id, subject), facts),
    register: (organizationId, resource, facts) =>
      void registered.set(keyOf(organizationId, resource), facts),
    find: async (organizationId, subject, demand) => {
      const facts = known.get(keyOf(organizationId, subject)) ?? unknownSubjectFacts(organizationId);
      if (demand?.resource === undefined) return facts;
      return { ...facts, resource: registered.get(keyOf(organizationId, demand.resource)) ?? null };
    },
  };
}
