import type { BindingFact, OrganizationFacts, SubjectReference, SubjectState } from './policy-input.ts';

/** What is known of one subject in one organization, as of one moment. */
export type SubjectFacts = {
  readonly organization: OrganizationFacts;
  readonly subject: SubjectState;
  readonly bindings: readonly BindingFact[];
};

/**
 * Where facts come from. The contract, for every implementation:
 * - All facts are of one snapshot, gathered in at most one round trip, and of `organizationId` alone.
 * - `subject.teams` holds the subject's own teams and all above them; `bindings` those of the subject and of every
 *   one of these teams. Nothing is judged here: expired and denying bindings are facts too.
 * - A custom role's permissions come with the binding; a role that no longer exists has none.
 * - A binding at a team names all teams below it in `scope.descendants`, without which a denial would not reach them.
 * - No such organization, no such subject, or a type of subject we do not have: `unknownSubjectFacts`.
 * - Broken infrastructure throws; the use case refuses.
 */
export type SubjectFactsSource = {
  find(organizationId: string, subject: SubjectReference): Promise<SubjectFacts>;
};

export function unknownSubjectFacts(organizationId: string): SubjectFacts {
  return {
    organization: { id: organizationId, status: 'active' },
    subject: { known: false, status: 'disabled', teams: [] },
    bindings: [],
  };
}
