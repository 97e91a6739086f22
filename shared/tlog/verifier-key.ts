import { createPublicKey, type KeyObject } from 'node:crypto';
import { fail, invariant, ok, type Result } from '../kernel/index.ts';
import { sha256 } from './leaf-hash.ts';
import { parseBase64, toBase64 } from './text.ts';

/** An Ed25519 key that notes are checked with. Name and id together name it on a signature line. */
export type VerifierKey = {
  readonly name: string;
  /** Eight lower-case hexadecimal digits. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
};

export type VerifierKeyMalformed = { readonly code: 'verifier_key.malformed'; readonly reason: string };

/** c2sp.org/signed-note, "Signature types". */
const ed25519Type = 0x01;
const publicKeyBytes = 32;

/** Throws `InvariantError` for a name a note could not carry or a key that is not Ed25519: both are our own. */
export function createVerifierKey(input: { name: string; publicKey: KeyObject }): VerifierKey {
  const { name, publicKey } = input;
  invariant(isKeyName(name), `"${name}" cannot be the name of a note key`);
  return { name, publicKey, keyId: keyIdOf(name, rawPublicKey(publicKey)) };
}

/** The text form auditors are given, the "vkey": `name+keyid+base64(type, public key)`. */
export function formatVerifierKey({ name, keyId, publicKey }: VerifierKey): string {
  return `${name}+${keyId}+${toBase64(Buffer.of(ed25519Type, ...rawPublicKey(publicKey)))}`;
}

/** Refuses a key id that does not follow from name and key, as a name edited by hand would have it. */
export function parseVerifierKey(text: string): Result<VerifierKey, VerifierKeyMalformed> {
  const match = /^([^+]{1,1024})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,64})$/.exec(text.trim());
  const [, name = '', keyId = '', encoded = ''] = match ?? [];
  if (!isKeyName(name)) return malformed('not of the form name+keyid+key');
  const bytes = parseBase64(encoded);
  const raw = bytes?.subarray(1);
  if (bytes?.[0] !== ed25519Type || raw?.byteLength !== publicKeyBytes)
    return malformed('not an Ed25519 key');
  if (keyId !== keyIdOf(name, raw)) return malformed('the key id does not belong to this name and key');
  return ok({ name, keyId, publicKey: toPublicKey(raw) });
}

/** Not empty, no white space, no plus, no control character (c2sp.org/signed-note, "Format"). */
export function isKeyName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /^[^\s\u0000-\u001f\u0085+]+$/.test(name) && name.isWellFormed();
}

function keyIdOf(name: string, raw: Uint8Array): string {
  const digest = sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519Type), raw]));
  return Buffer.from(digest).toString('hex', 0, 4);
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const { crv, x } = key.export({ format: 'jwk' });
  invariant(crv === 'Ed25519' && x !== undefined, 'a note key must be an Ed25519 key');
  return Buffer.from(x, 'base64url');
}

function toPublicKey(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function malformed(reason: string) {
  return fail({ code: 'verifier_key.malformed', reason });
}
