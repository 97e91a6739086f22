import { z } from 'zod';
import { fail, invariant, ok, type Random } from '../kernel/index.ts';
import { type KeyWrapper, KeyWrapperError, type WrappedKey } from './key-wrapper.ts';
import {
  describe,
  errorsOf,
  postTransit,
  type TransitAnswer,
  type TransitKey,
  type TransitServer,
} from './transit-request.ts';
import type { TransitToken } from './transit-token.ts';

const ciphertextPattern = /^vault:v([1-9]\d{0,8}):[A-Za-z0-9+/]+={0,2}$/;
const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(ciphertextPattern) }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const plaintextBytesMax = 4096;

/**
 * The transit engine of OpenBao or HashiCorp Vault: the wrapping key never leaves it. The policy of the token needs
 * `update` on `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>` and nothing else; with `create` a misspelt name
 * would make a new key. The key must be of an AEAD type.
 *
 * The context travels as `associated_data`, not as `context`, which the engine ignores in silence unless the key was
 * made with `derived`. The engine's `rewrap` takes no associated data and so cannot serve us (hashicorp/vault issues
 * 29532 and 31791): to wrap anew is to unwrap and wrap.
 */
export function createTransitKeyWrapper(
  deps: { server: TransitServer; token: TransitToken; random: Random },
  key: TransitKey,
): KeyWrapper {
  const { server, token } = deps;
  const send = async (path: string, body: object) =>
    postTransit(server, deps, { path, body, token: await token.current() });
  const post = async (verb: 'encrypt' | 'decrypt', body: object) => {
    const path = `/v1/${key.mount}/${verb}/${key.name}`;
    const first = await send(path, body);
    if (first.status !== 403) return first;
    // The token may have ended early. Asked again once, with a new one.
    token.refused();
    return send(path, body);
  };
  const wrap = async (plaintext: Uint8Array, context: string): Promise<WrappedKey> => {
    invariant(plaintext.byteLength <= plaintextBytesMax, 'a data key is small');
    const body = { plaintext: Buffer.from(plaintext).toString('base64'), associated_data: base64(context) };
    const answer = await post('encrypt', body);
    const parsed = encrypted.safeParse(answer.body);
    if (answer.status !== 200 || !parsed.success) throw refused(server, key, answer);
    const { ciphertext } = parsed.data.data;
    const version = ciphertextPattern.exec(ciphertext)?.[1];
    return {
      bytes: Buffer.from(ciphertext),
      wrappingKeyId: `transit:${key.mount}/${key.name}:v${version}`,
    };
  };
  return {
    wrap,
    // Asking for the key's own record would take one more right than wrapping does.
    currentKeyId: async () => (await wrap(Buffer.from('probe'), 'probe')).wrappingKeyId,
    unwrap: async (wrapped, context) => {
      const ciphertext = Buffer.from(wrapped).toString('latin1');
      if (!ciphertextPattern.test(ciphertext)) return unreadable('not a ciphertext of the transit engine');
      const answer = await post('decrypt', { ciphertext, associated_data: base64(context) });
      if (answer.status === 400 && !isKeyMissing(answer)) return unreadable(errorsOf(answer));
      const parsed = decrypted.safeParse(answer.body);
      if (answer.status !== 200 || !parsed.success) throw refused(server, key, answer);
      return ok(Buffer.from(parsed.data.data.plaintext, 'base64'));
    },
  };
}

function base64(context: string): string {
  invariant(context !== '', 'a wrapped key is bound to a context');
  return Buffer.from(context).toString('base64');
}

function unreadable(reason: string) {
  return fail({ code: 'wrapped_key.unreadable', reason } as const);
}

/** A misspelt key name is a fault of our settings and says nothing about the bytes. */
function isKeyMissing(answer: TransitAnswer): boolean {
  return errorsOf(answer).includes('encryption key not found');
}

function refused(server: TransitServer, key: TransitKey, answer: TransitAnswer): KeyWrapperError {
  const what = describe(server, { path: `/v1/${key.mount}/*/${key.name}` });
  return new KeyWrapperError(`${what} answers ${answer.status} (${errorsOf(answer)})`);
}
