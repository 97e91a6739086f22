import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { fail, invariant, ok, type Result } from '../kernel/index.ts';
import type { PolicyBundleRefusal } from './policy-bundle-files.ts';

/**
 * `signature.json`: a DSSE envelope (secure-systems-lab/dsse) whose payload, the bytes of manifest.json, stands
 * beside it. The manifest holds version and digests of all else, so that these few bytes stand for the whole bundle.
 */
const signatureFileSchema = z.object({
  payloadType: z.literal('application/vnd.uos.policy-bundle-manifest+json'),
  /** More than one while a key is being replaced. */
  signatures: z
    .array(z.object({ keyid: z.string().max(128), sig: z.base64().max(128) }))
    .min(1)
    .max(8),
});

const payloadType = signatureFileSchema.shape.payloadType.value;

/** Public keys whose signature admits a bundle, by key id. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** Short name of a key: the first half of SHA-256 over its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
export function keyIdOf(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 32);
}

/** The text of signature.json for a manifest, or of `previous` with this key's signature added or replaced. */
export function signManifest(manifest: Uint8Array, privateKey: KeyObject, previous?: Uint8Array): Buffer {
  invariant(privateKey.asymmetricKeyType === 'ed25519', 'bundles are signed with Ed25519');
  const keyid = keyIdOf(privateKey);
  const sig = sign(null, toSignedBytes(manifest), privateKey).toString('base64');
  const others = previous === undefined ? [] : (parseSignatures(previous) ?? []);
  const signatures = [...others.filter((other) => other.keyid !== keyid), { keyid, sig }];
  return Buffer.from(`${JSON.stringify({ payloadType, signatures }, null, 2)}\n`);
}

/** The id of the trusted key that signed this very manifest. */
export function verifyManifest(
  manifest: Uint8Array,
  signature: Uint8Array | undefined,
  trusted: TrustedKeys,
): Result<string, PolicyBundleRefusal> {
  if (signature === undefined) return refuse('unsigned', 'it carries no signature.json');
  const signatures = parseSignatures(signature);
  if (signatures === undefined) return refuse('signature_invalid', 'signature.json is malformed');
  const known = signatures.filter(({ keyid }) => trusted.has(keyid));
  if (known.length === 0) {
    return refuse('untrusted', `no trusted key signed it, only ${signatures.map((s) => s.keyid).join(', ')}`);
  }
  const bytes = toSignedBytes(manifest);
  for (const { keyid, sig } of known) {
    const key = trusted.get(keyid);
    if (key !== undefined && verify(null, bytes, key, Buffer.from(sig, 'base64'))) return ok(keyid);
  }
  return refuse('signature_invalid', `the signature of ${known[0]?.keyid} is not over this manifest`);
}

const pemBlock = /-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g;

/** The keys of a PEM file with one or more Ed25519 public keys. Throws, naming what is wrong, on anything else. */
export function parseTrustedKeys(pem: string): TrustedKeys {
  const keys = [...pem.matchAll(pemBlock)].map(([text, label]) => {
    if (label !== 'PUBLIC KEY') throw new Error(`Trusted keys are PUBLIC KEY blocks, not ${label}`);
    const key = createPublicKey(text);
    if (key.asymmetricKeyType !== 'ed25519') {
      throw new Error(`A trusted key is Ed25519, not ${key.asymmetricKeyType}`);
    }
    return [keyIdOf(key), key] as const;
  });
  if (keys.length === 0) throw new Error('The file of trusted keys holds no PUBLIC KEY block');
  return new Map(keys);
}

/** Pre-authentication encoding of DSSE v1: nothing signed for another purpose can be taken for a manifest. */
function toSignedBytes(manifest: Uint8Array): Buffer {
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${manifest.byteLength} `;
  return Buffer.concat([Buffer.from(head), manifest]);
}

function parseSignatures(bytes: Uint8Array) {
  try {
    return signatureFileSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data?.signatures;
  } catch {
    return undefined;
  }
}

function refuse(reason: 'unsigned' | 'untrusted' | 'signature_invalid', detail: string) {
  return fail({ code: `policy_bundle.${reason}`, detail } as const);
}
