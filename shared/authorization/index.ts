/**
 * The decision point: the policy bundle, the engine that runs it, and the two use cases that ask it. Invariants:
 * the policy decides and code only gathers facts; whatever goes wrong is a refusal; a bundle that does not work
 * never replaces one that does. Only this module loads the WASM.
 *
 *     const engine = createPolicyEngine({ clock });
 *     await loadPolicy(engine, 'policies/bundle');
 *     const decision = await evaluateAccess({ facts, engine, clock }, { organizationId, request });
 */
export { type EvaluationRequest, type EvaluationRequestFailure, parseEvaluationRequest } from './authzen.ts';
export { type BindingCondition, bindingConditionsSchema } from './binding-condition.ts';
export {
  type BoundedPolicyEngine,
  type BoundedPolicyEngineDeps,
  type BoundedPolicyEngineOptions,
  createBoundedPolicyEngine,
} from './bounded-policy-engine.ts';
export {
  type CachedSubjectFactsDeps,
  cacheSubjectFacts,
  type RememberedSubjectFacts,
} from './cached-subject-facts.ts';
export {
  type CredentialHolder,
  credentialScopeSchema,
  narrowScopes,
  narrowToCredential,
} from './credential-scope.ts';
export { type Decision, type DecisionCode, decisionCodes, type Obligation } from './decision.ts';
export { type AccessQuestion, type EvaluateAccessDeps, evaluateAccess } from './evaluate-access.ts';
export { NotEvaluatedError } from './evaluation-queue.ts';
export { type EvaluateBatchDeps, type EvaluationOutcome, evaluateBatch } from './evaluations-access.ts';
export {
  type EvaluationsItem,
  type EvaluationsRequest,
  type EvaluationsSemantic,
  parseEvaluationsRequest,
} from './evaluations-request.ts';
export { demandFreshFacts } from './fresh-subject-facts.ts';
export { loadPolicy } from './load-policy.ts';
export {
  type BuiltInRole,
  builtInRoles,
  type Permission,
  permissionPatternSchema,
  permissions,
} from './permission.ts';
export { isPlatformResourceType } from './platform-resource-type.ts';
export {
  candidatesEntrypoint,
  type PolicyBundle,
  type PolicyBundleFailure,
  type PolicyBundleFiles,
  type PolicyManifest,
  parsePolicyBundle,
  policyBundleFileNames,
  policyEntrypoint,
  policyManifestSchema,
  readPolicyBundle,
} from './policy-bundle.ts';
export {
  createPolicyEngine,
  type PolicyEngine,
  type PolicyStatus,
  type ServedPolicyEngine,
} from './policy-engine.ts';
export type {
  Attributes,
  Authentication,
  BindingFact,
  BindingScope,
  OrganizationFacts,
  PolicyInput,
  ResourceReference,
  SubjectReference,
  SubjectState,
} from './policy-input.ts';
export {
  type Caller,
  type PermissionFailure,
  type PermissionTarget,
  type Permit,
  requirePermission,
  toCaller,
} from './require-permission.ts';
export { runEvaluations } from './run-evaluations.ts';
export {
  type SearchAccessDeps,
  type SearchAllowance,
  type SearchBounds,
  type SearchPage,
  searchAccess,
} from './search-access.ts';
export {
  bundleCandidates,
  type CandidatesAsked,
  type SearchCandidates,
  type SearchFailure,
} from './search-candidates.ts';
export {
  openPageToken,
  type PagePosition,
  type PageTokenDeps,
  sealPageToken,
} from './search-page-token.ts';
export {
  parseSearchRequest,
  type SearchKind,
  type SearchQuestion,
  type SearchRequest,
  toEvaluation,
} from './search-request.ts';
export { createMemorySubjectFacts, type MemorySubjectFacts } from './subject-facts.memory.ts';
export {
  type DataRevision,
  type FactsDemand,
  type ResourceFacts,
  type SubjectFacts,
  type SubjectFactsSource,
  unknownSubjectFacts,
} from './subject-facts.ts';
export { createWorkTurns, type WorkTurns } from './work-turns.ts';
