import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Random } from '../kernel/index.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { openBox, sealBox } from './sealed-box.ts';

const keyBytes = 32;

/**
 * The wrapping key is a file: base64 of 32 random bytes, readable by its owner alone. For one machine, or a
 * mounted Kubernetes Secret. Refuses a file that group or others may read, and one of the wrong length.
 */
export async function openFileKeyWrapper(deps: { random: Random }, path: string): Promise<KeyWrapper> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `Key file "${path}" has mode ${(mode & 0o777).toString(8)}; only its owner may read it (chmod 600)`,
    );
  }
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64');
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
