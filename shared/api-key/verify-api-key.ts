import { withOrg } from '../db/index.ts';
import { type Fail, fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { ApiKeyRefusal } from './api-key-failure.ts';
import type { ApiKeyId } from './api-key-id.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';
import { isMacOf, isSecretIn, sealDecoy, sealSecret } from './api-key-secret.ts';
import type { ApiKeyForVerification } from './api-key-store.ts';
import { type ApiKeyText, parseApiKeyText } from './api-key-text.ts';

export type VerifyApiKeyDeps = Pick<ApiKeyDeps, 'pool' | 'store' | 'pepper' | 'clock'>;

/** What a presented key proves. Where from it may be used is for whoever knows the caller's address to check. */
export type VerifiedApiKey = {
  readonly organizationId: OrganizationId;
  readonly id: ApiKeyId;
  readonly owner: ApiKeyOwner;
  /** Of the secret that was presented, which may be the one before the newest. */
  readonly lastFour: string;
  readonly scopes: readonly string[] | undefined;
  readonly allowedNetworks: readonly string[] | undefined;
  /** When the presented secret ends by itself; absent: never. */
  readonly expiresAt: Date | undefined;
  /** When the key does, whichever of its secrets was presented. */
  readonly keyExpiresAt: Date | undefined;
};

type Presented = { readonly id: ApiKeyId; readonly text: ApiKeyText };
type Secret = 'newest' | 'previous' | 'superseded' | 'mac';

/**
 * Who presents this key. Form and checksum come first, then one statement. Every refusal after it takes the same
 * path: two seals are opened and compared whether the key exists or not, and callers must answer all alike.
 */
export async function verifyApiKey(
  deps: VerifyApiKeyDeps,
  text: ApiKeyText,
): Promise<Result<VerifiedApiKey, ApiKeyRefusal>> {
  const parsed = parseApiKeyText(text);
  if (!parsed.ok) return refuse('malformed');
  const presented = { id: parsed.value.id, text };
  const found = await deps.store.findForVerification(presented.id);
  const secret = await matchSecret(deps, presented, found);
  if (found === undefined) return refuse('unknown');
  if (secret === undefined) return refuse('wrong_secret');
  if (secret === 'superseded') return refuse('superseded');
  if (found.status !== 'active') return refuse(found.status);
  const now = deps.clock.now();
  if (found.expiresAt !== undefined && found.expiresAt <= now) return refuse('expired');
  if (!found.isOwnerActive) return refuse('owner_disabled');
  if (found.ownerExpiresAt !== undefined && found.ownerExpiresAt <= now) return refuse('owner_expired');
  if (secret === 'mac') await keepSealed(deps, found.organizationId, presented);
  return ok(toVerified(found, presented, secret));
}

async function matchSecret(
  deps: VerifyApiKeyDeps,
  { id, text }: Presented,
  found: ApiKeyForVerification | undefined,
): Promise<Secret | undefined> {
  const { pepper, clock } = deps;
  const { secret, previousSecret } = found ?? {};
  // Opened where there is no secret, so that a key that does not exist takes as long as one that does.
  const decoy = sealDecoy(pepper, id, text);
  const isNewest = await isSecretIn(pepper, { id, box: secret ?? decoy }, text);
  const isPrevious = await isSecretIn(pepper, { id, box: previousSecret?.box ?? decoy }, text);
  if (isNewest && secret !== undefined) return 'newest';
  if (isPrevious && previousSecret !== undefined)
    return clock.now() < previousSecret.until ? 'previous' : 'superseded';
  if (found?.secret !== undefined || found?.mac === undefined) return undefined;
  return (await isMacOf(pepper, found.mac, text)) ? 'mac' : undefined;
}

/** Only the key's text can make its seal, so it is made when the text is at hand. Should it fail, the next use tries. */
async function keepSealed(
  deps: VerifyApiKeyDeps,
  organizationId: OrganizationId,
  { id, text }: Presented,
): Promise<void> {
  const secret = await sealSecret(deps.pepper, id, text);
  await withOrg(deps.pool, organizationId, (tx) => deps.store.keepSealed(tx, id, secret)).catch(
    () => undefined,
  );
}

function toVerified(found: ApiKeyForVerification, { id, text }: Presented, secret: Secret): VerifiedApiKey {
  const { organizationId, owner, scopes, allowedNetworks } = found;
  const overlapEnd = secret === 'previous' ? found.previousSecret?.until : undefined;
  const expiresAt = firstOf([found.expiresAt, found.ownerExpiresAt, overlapEnd]);
  const bounds = { allowedNetworks, expiresAt, keyExpiresAt: found.expiresAt };
  return { organizationId, id, owner, lastFour: text.slice(-4), scopes, ...bounds };
}

function firstOf(ends: readonly (Date | undefined)[]): Date | undefined {
  return ends.filter((end) => end !== undefined).sort((a, b) => a.getTime() - b.getTime())[0];
}

function refuse(reason: ApiKeyRefusal['reason']): Fail<ApiKeyRefusal> {
  return fail({ code: 'api_key.refused', reason });
}
