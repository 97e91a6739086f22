import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import type { SeededOrganization, TestApiKeys } from './seed-organization.ts';

export type ScopedKeyInput = {
  readonly organization: SeededOrganization;
  readonly account: string;
  readonly scopes: readonly string[];
};

/** A key of a service account that is narrowed to scopes before its first use. */
export async function issueScopedKey(
  { pool, keys }: { pool: DatabasePool; keys: TestApiKeys },
  { organization, account, scopes }: ScopedKeyInput,
): Promise<IssuedApiKey> {
  const issued = await keys.issue(organization, account);
  await setKeyScopes(pool, { organization, keyId: issued.key.id, scopes });
  return issued;
}

export async function setKeyScopes(
  pool: DatabasePool,
  input: { organization: SeededOrganization; keyId: string; scopes: readonly string[] | null },
): Promise<void> {
  const { organization, keyId, scopes } = input;
  await withOrg(pool, organization.organizationId, (tx) =>
    tx
      .updateTable('api_key')
      .set({ scopes: scopes === null ? null : [...scopes] })
      .where('key_id', '=', keyId)
      .execute(),
  );
}
