import { createHash } from 'node:crypto';
import type { Random } from '../kernel/index.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { openBox, sealBox } from './sealed-box.ts';
import { readSecretFile } from './secret-file.ts';

const keyBytes = 32;

/** The wrapping key is a secret file that holds base64 of 32 random bytes; see `readSecretFile` for who may read it. */
export async function openFileKeyWrapper(deps: { random: Random }, path: string): Promise<KeyWrapper> {
  const key = Buffer.from(await readSecretFile(path), 'base64');
  if (key.length !== keyBytes)
    throw new Error(`Key file "${path}" holds ${key.length} bytes; ${keyBytes} in base64 are expected`);
  return {
    keyId: `file:${createHash('sha256').update(key).digest('hex').slice(0, 16)}`,
    wrap: async (plaintext, context) =>
      sealBox({ key, keyVersion: 1, context, plaintext, random: deps.random }),
    unwrap: async (wrapped, context) => {
      const opened = openBox({ key, context, box: wrapped });
      if (!opened.ok) throw new Error(`Key file "${path}" does not unwrap the data key of "${context}"`);
      return opened.value;
    },
  };
}
