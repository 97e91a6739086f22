import type {
  Attributes,
  BindingFact,
  OrganizationFacts,
  ResourceReference,
  SubjectReference,
  SubjectState,
} from './policy-input.ts';

/** What is known of one subject in one organization, as of one moment. */
export type SubjectFacts = {
  readonly organization: OrganizationFacts;
  readonly subject: SubjectState;
  readonly bindings: readonly BindingFact[];
  /** Names of the resource types that the organization has registered; of no other can a resource be. */
  readonly resourceTypes?: readonly string[];
  /** Of the resource demanded: null when it is not registered. Absent when nobody looked. */
  readonly resource?: ResourceFacts | null;
  readonly revision?: DataRevision;
};

/** A registered resource. What it says replaces what a request says of the same attribute. */
export type ResourceFacts = {
  readonly team?: string;
  readonly owner?: string;
  readonly attributes: Attributes;
};

/**
 * How new facts are. `data` grows by one with every change of an organization's facts, and is what an answer states;
 * the others are the value it had when facts of subjects, and of resources, last changed.
 */
export type DataRevision = { readonly data: number; readonly subjects: number; readonly resources: number };

/** `minDataRevision`: facts that were remembered before it are not good enough. */
export type FactsDemand = { readonly resource?: ResourceReference; readonly minDataRevision?: number };

/**
 * Where facts come from. The contract, for every implementation:
 * - All facts are of one snapshot, gathered in at most one round trip, and of `organizationId` alone.
 * - `subject.teams` holds the subject's own teams and all above them, `subject.groups` its groups; `bindings` those of
 *   the subject and of every one of these. Nothing is judged here: expired and denying bindings are facts too.
 * - A group is a subject too: what it holds itself, active as long as it exists, and a member of nothing.
 * - An API key has the teams, groups and bindings of its owner, a service account or a user; it is disabled when either of them
 *   is, and expires with whichever expires first. A deleted service account is disabled.
 * - The scopes of an API key are facts of the key, and of nobody else.
 * - A custom role's permissions come with the binding; a role that no longer exists has none.
 * - A binding at a team names all teams below it in `scope.descendants`, without which a denial would not reach them.
 * - No such organization, no such subject, or a type of subject we do not have: `unknownSubjectFacts`.
 * - A demanded resource is looked up, at the latest when its type is among `resourceTypes`.
 * - Broken infrastructure throws; the use case refuses.
 */
export type SubjectFactsSource = {
  find(organizationId: string, subject: SubjectReference, demand?: FactsDemand): Promise<SubjectFacts>;
};

export function unknownSubjectFacts(organizationId: string): SubjectFacts {
  return {
    organization: { id: organizationId, status: 'active' },
    subject: { known: false, status: 'disabled', teams: [] },
    bindings: [],
  };
}

export function isAsNewAs(facts: Pick<SubjectFacts, 'revision'>, minDataRevision: number): boolean {
  return (facts.revision?.data ?? 0) >= minDataRevision;
}
