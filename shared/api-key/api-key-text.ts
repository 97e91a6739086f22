import { crc32 } from 'node:zlib';
import { fail, invariant, ok, type Random, type Result } from '../kernel/index.ts';
import { type ApiKeyId, apiKeyId } from './api-key-id.ts';

/**
 * `uos_<kind>_<environment>_<public id>_<secret><checksum>`: the public id is the suffix of the key's id, the secret
 * 32 random bytes in 43 base62 digits, the checksum the CRC-32 of all before it in 6 base62 digits. Fixed brand
 * and checksum let a secret scanner tell a real key from a look-alike offline.
 */
export type ApiKeyText = string;
export type ApiKeyEnvironment = 'live' | 'test';
/** `sa`: of a service account, `pk`: personal. */
export type ApiKeyTextKind = 'sa' | 'pk';

const form = /^uos_(?:sa|pk)_(?:live|test)_([0-7][0-9a-hjkmnp-tv-z]{25})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function createApiKeyText(
  random: Random,
  id: ApiKeyId,
  { kind, environment }: { kind: ApiKeyTextKind; environment: ApiKeyEnvironment },
): ApiKeyText {
  const body = `uos_${kind}_${environment}_${id.slice('key_'.length)}_${toBase62(random.bytes(32), 43)}`;
  const text = body + checksumOf(body);
  invariant(form.test(text), 'a created API key does not have its own form');
  return text;
}

/** Checks form and checksum alone, so that garbage never reaches a database. */
export function parseApiKeyText(text: string): Result<{ id: ApiKeyId }, { code: 'api_key.malformed' }> {
  const match = form.exec(text);
  const suffix = match?.[1];
  if (match === null || suffix === undefined || match[3] !== checksumOf(text.slice(0, -6))) {
    return fail({ code: 'api_key.malformed' });
  }
  return ok({ id: apiKeyId.require(`key_${suffix}`) });
}

/** What may be shown and logged: the key's id and its last four characters. */
export function fingerprintOf(id: ApiKeyId, lastFour: string): string {
  return `${id}…${lastFour}`;
}

/** As it is shown, or the id alone. Undefined when it is neither. */
export function parseFingerprint(text: string): { id: ApiKeyId; lastFour?: string } | undefined {
  const [id, lastFour, ...rest] = text.split('…');
  if (!apiKeyId.is(id) || rest.length > 0) return undefined;
  if (lastFour === undefined) return { id };
  return /^[0-9A-Za-z]{4}$/.test(lastFour) ? { id, lastFour } : undefined;
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return toBase62(bytes, 6);
}

function toBase62(bytes: Uint8Array, length: number): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (let place = 0; place < length; place++) {
    text = digits.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text;
}
