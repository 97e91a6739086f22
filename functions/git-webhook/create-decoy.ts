import type { Random } from '../../shared/kernel/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';

/** A sealed secret that no forge holds, for requests that name no source. */
export function createDecoy(webhookSecrets: KeyRing, random: Random) {
  const id = 'decoy';
  const secret = Buffer.from(random.bytes(32)).toString('base64url');
  return { id, webhookSecretSealed: webhookSecrets.sealAtOnce(secret, id) };
}
