import type { SubjectReference } from '../authorization/index.ts';
import { toNumericDate } from '../kernel/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';

/** Why nobody may use a credential of this account now; undefined when somebody may. */
export async function findInactivity(
  {
    facts,
    apiKeys,
  }: Pick<AuthenticatorDeps, 'facts'> & { apiKeys: Pick<AuthenticatorDeps['apiKeys'], 'clock'> },
  account: SubjectReference & { readonly organizationId: string },
): Promise<'account_disabled' | 'account_expired' | 'organization_suspended' | undefined> {
  const { organization, subject } = await facts.find(account.organizationId, account);
  if (!subject.known || subject.status !== 'active') return 'account_disabled';
  const now = toNumericDate(apiKeys.clock.now());
  if (subject.expires_at !== undefined && subject.expires_at <= now) return 'account_expired';
  return organization.status === 'active' ? undefined : 'organization_suspended';
}
