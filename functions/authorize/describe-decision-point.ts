const metadataPath = '/.well-known/authzen-configuration';
export const evaluationPath = '/access/v1/evaluation';
export const evaluationsPath = '/access/v1/evaluations';
export const searchPaths = {
  subject: '/access/v1/search/subject',
  resource: '/access/v1/search/resource',
  action: '/access/v1/search/action',
} as const;

/**
 * Policy Decision Point metadata, AuthZEN 1.0 section 9.1. Every address comes from the configured base URL: one
 * taken from the Host header would let a caller poison what a cache hands to others. No `capabilities`: it lists
 * registered URNs, of which none is ours, and an empty list must be left out (section 9.2.2).
 */
export function describeDecisionPoint(publicUrl: string): string {
  return JSON.stringify({
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}${evaluationPath}`,
    access_evaluations_endpoint: `${publicUrl}${evaluationsPath}`,
    search_subject_endpoint: `${publicUrl}${searchPaths.subject}`,
    search_resource_endpoint: `${publicUrl}${searchPaths.resource}`,
    search_action_endpoint: `${publicUrl}${searchPaths.action}`,
  });
}

/** Between host and path (section 9.2), so a base URL with a path has its document at an address of its own. */
export function metadataPathsOf(publicUrl: string): readonly string[] {
  const { pathname } = new URL(publicUrl);
  return pathname === '/' ? [metadataPath] : [metadataPath, `${metadataPath}${pathname}`];
}
