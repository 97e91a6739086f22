import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { invariant } from '../kernel/index.ts';
import { type KeyRing, keyVersionOf } from '../secret/index.ts';
import type { ApiKeyId } from './api-key-id.ts';
import type { ApiKeyText } from './api-key-text.ts';

/**
 * What is kept of a secret: the SHA-256 of the key's text, sealed with the key's id as context. A fast hash is enough
 * for 256 random bits; a slow one (argon2id) would cost 19 ms a request and add nothing. The seal makes a copy of the
 * database alone useless, as a keyed hash would, and can be renewed under another data key without the text.
 */
export type SealedSecret = { readonly box: Uint8Array; readonly keyVersion: number };

/** HMAC-SHA256 of the text under a pepper: what was kept before there were seals. */
export type MacOfSecret = { readonly mac: Uint8Array; readonly pepperVersion: number };

export async function sealSecret(
  pepper: Pick<KeyRing, 'seal'>,
  id: ApiKeyId,
  text: ApiKeyText,
): Promise<SealedSecret> {
  const box = await pepper.seal(digestOf(text), id);
  const version = keyVersionOf(box);
  invariant(version.ok, 'what a ring sealed names its version');
  return { box, keyVersion: version.value };
}

/** For what is compared with at once and never kept. */
export function sealDecoy(pepper: Pick<KeyRing, 'sealAtOnce'>, id: ApiKeyId, text: ApiKeyText): Uint8Array {
  return pepper.sealAtOnce(digestOf(text), id);
}

/** Whether a box holds this text. One that does not open is a broken row or a lost data key, not a wrong secret. */
export async function isSecretIn(
  pepper: Pick<KeyRing, 'open'>,
  { id, box }: { id: ApiKeyId; box: Uint8Array },
  text: ApiKeyText,
): Promise<boolean> {
  const opened = await pepper.open(box, id);
  if (!opened.ok) throw new Error(`The sealed secret of ${id} does not open`);
  return timingSafeEqual(opened.value, digestOf(text));
}

/** A pepper goes when none but ended keys rest on it, whose secret then matches nothing. */
export async function isMacOf(
  pepper: Pick<KeyRing, 'find'>,
  kept: MacOfSecret,
  text: ApiKeyText,
): Promise<boolean> {
  const key = await pepper.find(kept.pepperVersion);
  return key !== undefined && timingSafeEqual(macOf(key.bytes, text), kept.mac);
}

export function macOf(pepper: Uint8Array, text: ApiKeyText): Buffer {
  return createHmac('sha256', pepper).update(text).digest();
}

function digestOf(text: ApiKeyText): Buffer {
  return hash('sha256', text, 'buffer');
}
