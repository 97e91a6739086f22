import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readSecretFile } from '../secret/index.ts';

/** PKCS#8 of an Ed25519 key up to its 32-byte seed (RFC 8410 section 7). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The key that signs checkpoints: PKCS#8 PEM, or base64 of the 32-byte seed. Refuses a file that too many
 * may read, and any key but Ed25519. Messages name the file, never what it holds.
 */
export async function readLogSigningKey(path: string): Promise<KeyObject> {
  const key = parseKey(await readSecretFile(path));
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new Error(`Key file "${path}" holds neither an Ed25519 key in PEM nor its 32-byte seed in base64`);
  return key;
}

function parseKey(text: string): KeyObject | undefined {
  const seed = Buffer.from(text, 'base64');
  try {
    if (text.startsWith('-----BEGIN')) return createPrivateKey(text);
    if (seed.length !== 32 || seed.toString('base64') !== text) return undefined;
    return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' });
  } catch {
    // The cause could quote the key.
    return undefined;
  }
}
