import { z } from 'zod';
import type { SubjectReference } from './policy-input.ts';
import type { SubjectFactsSource } from './subject-facts.ts';

/** What a credential is issued for: `<resource type>:<action>`, `<resource type>:*`, or `*:*` for all. */
export const credentialScopeSchema = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(
    /^(?:\*:\*|[a-z][a-z0-9_.-]*:(?:\*|[a-z][a-z0-9_.-]*))$/,
    'must be <type>:<action> or <type>:* in lower case, or *:*',
  );

/** Who acts, and for what its credential was issued: a Principal is one. Without scopes it is not narrowed. */
export type CredentialHolder = SubjectReference & {
  readonly organizationId: string;
  readonly scopes?: readonly string[];
};

/**
 * Facts as they are for a holder of this credential: its scopes are facts of itself. A credential that asks what its
 * holder may do is told what it may do itself; about everybody else it is told what they may do.
 */
export function narrowToCredential(source: SubjectFactsSource, holder: CredentialHolder): SubjectFactsSource {
  const { organizationId, type, id, scopes } = holder;
  if (scopes === undefined) return source;
  return {
    find: async (asked, subject, demand) => {
      const facts = await source.find(asked, subject, demand);
      if (asked !== organizationId || subject.type !== type || subject.id !== id) return facts;
      const narrowed = narrowScopes(facts.subject.scopes, scopes);
      return { ...facts, subject: { ...facts.subject, scopes: narrowed } };
    },
  };
}

/** What is within both: scopes never add up. */
export function narrowScopes(held: readonly string[] | undefined, by: readonly string[]): readonly string[] {
  if (held === undefined) return by;
  const common = held.flatMap((one) =>
    by.flatMap((other) => (includes(one, other) ? [other] : includes(other, one) ? [one] : [])),
  );
  return [...new Set(common)];
}

function includes(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '*:*') return true;
  const [type, action] = wide.split(':');
  return action === '*' && narrow.startsWith(`${type}:`);
}
