import type { Authenticator, Principal } from '../../shared/authentication/index.ts';
import type { PolicyStatus } from '../../shared/authorization/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import type { FollowStatus } from '../../shared/policy-bundle/index.ts';
import { type AuthorizeCall, presentRefusal } from './admit-caller.ts';
import type { ShadowReport } from './shadow-policy.ts';

export const policyStatusPath = '/policy/status';

export type PolicyReport = {
  /** Of the engine that answers. */
  readonly engine: PolicyStatus;
  readonly live: FollowStatus;
  readonly shadow: { readonly bundle: FollowStatus; readonly report: ShadowReport } | undefined;
};

/**
 * Which policy answers, since when, and what became of the last attempt to replace it. Open to the cluster, as health
 * is; who is behind a disagreement is told to those of the same organization alone, and to the platform's own.
 */
export async function answerPolicyStatus(
  deps: { readonly authenticator: Authenticator; readonly policies: { report(): PolicyReport } },
  { authorization, clientAddress }: Pick<AuthorizeCall, 'authorization' | 'clientAddress'>,
): Promise<Result<string, ProblemFailure>> {
  if (authorization === undefined) return ok(present(deps.policies.report(), undefined));
  try {
    const caller = await deps.authenticator.authenticate(authorization, { address: clientAddress });
    if (!caller.ok) return presentRefusal(caller.failure);
    return ok(present(deps.policies.report(), caller.value));
  } catch {
    // Without a credential it can be had all the same.
    return fail({ code: 'service.unavailable' });
  }
}

function present({ engine, live, shadow }: PolicyReport, viewer: Principal | undefined): string {
  return JSON.stringify({
    revision: engine.revision,
    ...presentBundle(live),
    shadow: shadow && {
      ...presentBundle(shadow.bundle),
      revision: shadow.bundle.active?.revision,
      ...presentShadow(shadow.report, viewer),
    },
  });
}

function presentBundle({ source, active, lastAttempt, lastFailure }: FollowStatus) {
  return {
    source,
    version: active?.version,
    signed_by: active?.signedBy,
    activated_at: active?.activatedAt,
    last_attempt: lastAttempt,
    last_failure: lastFailure && { at: lastFailure.at, ...lastFailure.failure },
  };
}

function presentShadow(
  { sampleRate, comparison, dropped, failed }: ShadowReport,
  viewer: Principal | undefined,
) {
  const counts = { sample_rate: sampleRate, dropped, failed };
  if (comparison === undefined) return counts;
  const { compared, disagreed, otherReason, byRule, bySubject, notListed } = comparison;
  return {
    ...counts,
    comparison: {
      live_revision: comparison.liveRevision,
      shadow_revision: comparison.shadowRevision,
      since: comparison.since,
      compared,
      disagreed,
      other_reason: otherReason,
      not_listed: notListed,
      by_rule: byRule,
      by_subject:
        viewer && bySubject.filter(({ organization }) => maySee(viewer, organization)).slice(0, 100),
    },
  };
}

function maySee({ organizationId }: Principal, organization: string): boolean {
  return organizationId === platformOrganizationId || organizationId === organization;
}
