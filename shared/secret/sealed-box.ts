import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { type Fail, fail, ok, type Random, type Result } from '../kernel/index.ts';

export type SealedBoxFailure = { readonly code: 'sealed_box.unreadable' };

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + 4 + nonceBytes;

/**
 * AES-256-GCM (NIST SP 800-38D). Layout: format byte, big-endian uint32 key version, 12-byte random nonce,
 * ciphertext, 16-byte tag. `context` is authenticated, not stored: a box moved to another row does not open.
 */
export function sealBox(input: {
  key: Uint8Array;
  keyVersion: number;
  context: string;
  plaintext: Uint8Array;
  random: Random;
}): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(format, 0);
  head.writeUInt32BE(input.keyVersion, 1);
  head.set(input.random.bytes(nonceBytes), 5);
  const cipher = createCipheriv('aes-256-gcm', keyObjectOf(input.key), head.subarray(5), {
    authTagLength: tagBytes,
  });
  cipher.setAAD(Buffer.concat([head.subarray(0, 5), Buffer.from(input.context)]));
  return Buffer.concat([head, cipher.update(input.plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The version of the key that a box was sealed with, or a failure when it is not a box at all. */
export function keyVersionOf(box: Uint8Array): Result<number, SealedBoxFailure> {
  const bytes = Buffer.from(box.buffer, box.byteOffset, box.byteLength);
  if (bytes.length < headBytes + tagBytes || bytes.readUInt8(0) !== format) return unreadable();
  return ok(bytes.readUInt32BE(1));
}

export function openBox(input: {
  key: Uint8Array;
  context: string;
  box: Uint8Array;
}): Result<Buffer, SealedBoxFailure> {
  const version = keyVersionOf(input.box);
  if (!version.ok) return version;
  const bytes = Buffer.from(input.box.buffer, input.box.byteOffset, input.box.byteLength);
  const decipher = createDecipheriv('aes-256-gcm', keyObjectOf(input.key), bytes.subarray(5, headBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, 5), Buffer.from(input.context)]));
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return ok(
      Buffer.concat([decipher.update(bytes.subarray(headBytes, bytes.length - tagBytes)), decipher.final()]),
    );
  } catch {
    return unreadable();
  }
}

const keyObjects = new WeakMap<Uint8Array, KeyObject>();

/** Made once for each key that is kept, which nobody changes in place: it costs three times what sealing does. */
function keyObjectOf(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key) ?? createSecretKey(key);
  keyObjects.set(key, known);
  return known;
}

function unreadable(): Fail<SealedBoxFailure> {
  return fail({ code: 'sealed_box.unreadable' });
}
