export const metadataPath = '/.well-known/authzen-configuration';
export const evaluationPath = '/access/v1/evaluation';

/**
 * Policy Decision Point metadata, AuthZEN 1.0 section 9.1. Every address comes from the configured base URL: one
 * taken from the Host header would let a caller poison what a cache hands to others.
 */
export function describeDecisionPoint(publicUrl: string): string {
  return JSON.stringify({
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}${evaluationPath}`,
  });
}
