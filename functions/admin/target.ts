import { type ApiKey, type ApiKeyId, apiKeyId } from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import {
  type ServiceAccount,
  type ServiceAccountId,
  serviceAccountId,
} from '../../shared/service-account/index.ts';
import { type TrustRule, type TrustRuleId, trustRuleId } from '../../shared/workload-identity/index.ts';
import type { AdminDeps } from './admin-deps.ts';

/** Which account, key or rule a request is about; or the team that owns all that it is about. */
export type TargetReference = {
  readonly serviceAccount?: ServiceAccountId | undefined;
  readonly key?: ApiKeyId | undefined;
  readonly trustRule?: TrustRuleId | undefined;
  readonly team?: string | undefined;
};

/** The key or rule that a path names, as far as there is one; the account it is of; and the team that owns that. */
export type Target = {
  readonly account?: ServiceAccount | undefined;
  readonly key?: ApiKey | undefined;
  readonly trustRule?: TrustRule | undefined;
  readonly team?: string | undefined;
};

export function toTargetReference(params: Readonly<Record<string, string>>): TargetReference {
  const { serviceAccount, key, trustRule } = params;
  return {
    serviceAccount: serviceAccountId.is(serviceAccount) ? serviceAccount : undefined,
    key: apiKeyId.is(key) ? key : undefined,
    trustRule: trustRuleId.is(trustRule) ? trustRule : undefined,
  };
}

export async function findTarget(
  { pool, stores }: Pick<AdminDeps, 'pool' | 'stores'>,
  organizationId: OrganizationId,
  { team, ...reference }: TargetReference,
): Promise<Target> {
  if (Object.values(reference).every((id) => id === undefined)) return { team };
  return withOrg(pool, organizationId, async (tx) => {
    const key = reference.key && (await stores.apiKey.find(tx, reference.key));
    const trustRule = reference.trustRule && (await stores.trustRule.find(tx, reference.trustRule));
    const ownerId = key?.owner.type === 'service_account' ? key.owner.id : trustRule?.serviceAccountId;
    const accountId = reference.serviceAccount ?? ownerId;
    const account = accountId && (await stores.serviceAccount.find(tx, accountId));
    return { key, trustRule, account, team: account?.ownerTeamId };
  });
}
