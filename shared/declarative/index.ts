/**
 * Declared organizations: from files in Git to the exact changes they ask for. Reading (`GitRepository`), parsing,
 * planning and simulating are apart, and only reading does input or output. Composition roots take the reader from
 * git-repository.isomorphic.ts; everything else takes a `GitRepository`.
 *
 * Invariants: every fault of a declaration is reported at once and nothing is read out of a faulty one; equal
 * declarations have equal hashes; a plan is a function of state, declaration and commit, and planning again after
 * applying it finds nothing to do.
 *
 * @example
 * const parsed = parseOrganization({ slug: 'acme', files });
 * if (!parsed.ok) return parsed.failure.faults.map(toFaultText);
 * const plan = planOrganization({ current: { slug: 'acme', entities: [] }, declared: parsed.value, commit });
 */
export type { DeclaredOrganization, Sha256 } from './canonical-organization.ts';
export {
  type Entity,
  type EntityKind,
  type EntityOf,
  type Guards,
  type ManagedBy,
  type ManagedEntity,
  type OrganizationState,
  toEntityKey,
  toMemberOf,
} from './entity.ts';
export { type Fault, toFaultText } from './fault.ts';
export type {
  GitFailure,
  GitLimits,
  GitRepository,
  OrganizationTree,
  RepositoryAddress,
  RepositoryTree,
} from './git-repository.ts';
export type { Change, ChangeReason } from './list-changes.ts';
export { type DeclarationInvalid, parseOrganization } from './parse-organization.ts';
export { type Plan, planOrganization, type RemovalsExceedGuard } from './plan-organization.ts';
export type { SourceFile } from './read-yaml.ts';
export {
  type PushHint,
  parsePushHint,
  type SignatureInvalid,
  signWebhook,
  verifyWebhookSignature,
  type WebhookMalformed,
} from './verify-webhook.ts';
