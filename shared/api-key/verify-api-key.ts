import { timingSafeEqual } from 'node:crypto';
import { withOrg } from '../db/index.ts';
import { type Fail, fail, ok, type Result } from '../kernel/index.ts';
import { type ApiKey, isUsable } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { ApiKeyRefusal } from './api-key-failure.ts';
import { parseApiKeyText } from './api-key-text.ts';
import { macOf } from './issue-api-key.ts';

/**
 * Who presents this key. Form and checksum come first, then one lookup. Unknown and wrong take the same path: a MAC
 * is computed and compared for both, and callers of this function must answer every refusal alike.
 */
export async function verifyApiKey(
  deps: Pick<ApiKeyDeps, 'pool' | 'store' | 'pepper' | 'clock'>,
  text: string,
): Promise<Result<ApiKey, ApiKeyRefusal>> {
  const parsed = parseApiKeyText(text);
  if (!parsed.ok) return refuse('malformed');
  const { id } = parsed.value;
  const organizationId = await deps.store.locate(id);
  const found =
    organizationId &&
    (await withOrg(deps.pool, organizationId, (tx) => deps.store.findForVerification(tx, id)));
  const pepper = await deps.pepper.find(found?.key.pepperVersion ?? deps.pepper.current().version);
  const mac = macOf((pepper ?? deps.pepper.current()).bytes, text);
  const isSame = timingSafeEqual(mac, found?.key.secretMac ?? Buffer.alloc(mac.length));
  if (found === undefined) return refuse('unknown');
  if (!isSame) return refuse('wrong_secret');
  if (found.key.status === 'revoked') return refuse('revoked');
  if (!isUsable(found.key, deps.clock.now())) return refuse('expired');
  if (!found.isOwnerActive) return refuse('owner_disabled');
  return ok(found.key);
}

function refuse(reason: ApiKeyRefusal['reason']): Fail<ApiKeyRefusal> {
  return fail({ code: 'api_key.refused', reason });
}
