import { type RotateSigningKeysDeps, rotateSigningKeys } from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type RotateKeysDeps = { readonly signingKeys: RotateSigningKeysDeps; readonly logger: Logger };

export async function rotateKeys({ signingKeys, logger }: RotateKeysDeps): Promise<'done' | 'busy'> {
  const rotated = await rotateSigningKeys(signingKeys);
  if (!rotated.ok) return 'busy';
  const { published, retired } = rotated.value;
  for (const { keyId, algorithm, activeFrom } of published) {
    logger.info({ keyId, algorithm, activeFrom }, 'Signing key published');
  }
  for (const keyId of retired) logger.info({ keyId }, 'Signing key retired');
  return 'done';
}
