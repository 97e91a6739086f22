import { findInactivity } from '../../shared/authentication/index.ts';
import type { SubjectFactsSource } from '../../shared/authorization/index.ts';
import { type DatabasePool, locate } from '../../shared/db/index.ts';
import { type Clock, type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import type { IssuerKeys } from '../../shared/remote-jwks/index.ts';
import {
  findTrustRule,
  type TrustRule,
  type TrustRuleStore,
  trustRuleId,
  verifyWorkloadToken,
} from '../../shared/workload-identity/index.ts';
import type { Grant } from './grant.ts';

export type ProveWorkloadDeps = {
  readonly pool: DatabasePool;
  readonly trustRules: TrustRuleStore;
  readonly facts: SubjectFactsSource;
  readonly issuerKeys: Pick<IssuerKeys, 'find'>;
  readonly clock: Clock;
};

export type GrantRefusal = { readonly code: 'grant.refused'; readonly reason: string };

/**
 * Takes a foreign token as proof of the service account whose trust rule the client names. The rule is found by its
 * id alone, never by what the token says: so no tenant's rule catches a token that was sent to another's.
 */
export async function proveWorkload(
  deps: ProveWorkloadDeps,
  clientId: string,
  token: string,
): Promise<Result<Grant, GrantRefusal>> {
  const rule = await findRule(deps, clientId);
  if (rule === undefined) return refuse('unknown_rule');
  if (rule.status !== 'active') return refuse('rule_disabled');
  const account = {
    organizationId: rule.organizationId,
    type: 'service_account',
    id: rule.serviceAccountId,
  };
  const inactivity = await findInactivity({ facts: deps.facts, apiKeys: deps }, account);
  if (inactivity !== undefined) return refuse(inactivity);
  const verified = await verifyWorkloadToken(deps, rule, token);
  if (!verified.ok) return refuse(verified.failure.reason);
  const { subject, acceptedUntil, usedUntil, useDigest } = verified.value;
  return ok({
    organizationId: rule.organizationId,
    subject: rule.serviceAccountId,
    issuedFor: { type: 'trust_rule', id: rule.id },
    actors: [],
    scopes: rule.scopes,
    goodUntil: acceptedUntil,
    workload: {
      subject,
      use: rule.tokenUse === 'once' ? { digest: useDigest, until: usedUntil } : undefined,
    },
  });
}

async function findRule(deps: ProveWorkloadDeps, clientId: string): Promise<TrustRule | undefined> {
  const id = trustRuleId.require(clientId);
  const owner = await locate(deps.pool, id);
  if (owner === undefined) return undefined;
  const asked = { organizationId: organizationId.require(owner), id };
  return findTrustRule({ pool: deps.pool, store: deps.trustRules }, asked);
}

export function refuse(reason: string): Fail<GrantRefusal> {
  return fail({ code: 'grant.refused', reason });
}
