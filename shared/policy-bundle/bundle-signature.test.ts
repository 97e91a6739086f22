import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createBundleSigner } from '../../tests/support/policy-bundle-fixture.ts';
import { parseTrustedKeys, signManifest, verifyManifest } from './bundle-signature.ts';

const manifest = Buffer.from('{"revision":"r1","version":1}');
const [ours, theirs] = [createBundleSigner(), createBundleSigner()];
const good = signManifest(manifest, ours.privateKey);
const edit = (
  change: (envelope: { payloadType: string; signatures: { keyid: string; sig: string }[] }) => void,
) => {
  const envelope = JSON.parse(good.toString());
  change(envelope);
  return Buffer.from(JSON.stringify(envelope));
};
const bare = (bytes: Buffer) => sign(null, bytes, ours.privateKey).toString('base64');

describe('a signature', () => {
  test('by a trusted key over this manifest is accepted, and the key named', () => {
    expect(verifyManifest(manifest, good, ours.trusted)).toEqual({ ok: true, value: ours.id });
  });

  test('by two keys is accepted by whoever trusts either, so that a key can be replaced', () => {
    const both = signManifest(manifest, theirs.privateKey, good);
    for (const { trusted, id } of [ours, theirs]) {
      expect(verifyManifest(manifest, both, trusted)).toEqual({ ok: true, value: id });
    }
    expect(JSON.parse(signManifest(manifest, ours.privateKey, both).toString()).signatures).toHaveLength(2);
  });

  test('is over the DSSE v1 encoding, so that any DSSE library can check it', () => {
    const type = 'application/vnd.uos.policy-bundle-manifest+json';
    const encoded = `DSSEv1 ${type.length} ${type} ${manifest.length} ${manifest}`;
    expect(JSON.parse(good.toString())).toEqual({
      payloadType: type,
      signatures: [{ keyid: ours.id, sig: bare(Buffer.from(encoded)) }],
    });
  });

  test.each([
    ['none at all', manifest, undefined, 'unsigned'],
    ['of a key nobody trusts', manifest, signManifest(manifest, theirs.privateKey), 'untrusted'],
    ['over another manifest', Buffer.from('{"revision":"r1","version":2}'), good, 'signature_invalid'],
    ['over the manifest with one more blank', Buffer.from(`${manifest} `), good, 'signature_invalid'],
    [
      'of another key under the name of ours',
      manifest,
      edit(({ signatures: [first] }) => {
        if (first) first.sig = sign(null, manifest, theirs.privateKey).toString('base64');
      }),
      'signature_invalid',
    ],
    // Threat: our key signs checkpoints or tokens too, and someone hands us one of those.
    [
      'of our key over the bare bytes, as for another purpose',
      manifest,
      edit(({ signatures: [first] }) => {
        if (first) first.sig = bare(manifest);
      }),
      'signature_invalid',
    ],
    [
      'of another payload type',
      manifest,
      edit((envelope) => {
        envelope.payloadType = 'text/plain';
      }),
      'signature_invalid',
    ],
    [
      'of no bytes',
      manifest,
      edit(({ signatures }) =>
        signatures.forEach((s) => {
          s.sig = '';
        }),
      ),
      'signature_invalid',
    ],
    ['list that is empty', manifest, edit(({ signatures }) => signatures.splice(0)), 'signature_invalid'],
    ['that is not JSON', manifest, Buffer.from('ok'), 'signature_invalid'],
  ])('%s is refused', (_what, bytes, signature, reason) => {
    const refused = verifyManifest(bytes, signature, ours.trusted);
    expect(refused).toMatchObject({ ok: false, failure: { code: `policy_bundle.${reason}` } });
  });

  test('cut anywhere, or with any one bit changed, is refused', () => {
    const sig = Buffer.from(JSON.parse(good.toString()).signatures[0].sig, 'base64');
    for (let bit = 0; bit < sig.length * 8; bit += 7) {
      const changed = sig.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      const file = edit(({ signatures: [first] }) => {
        if (first) first.sig = Buffer.from(changed).toString('base64');
      });
      expect(verifyManifest(manifest, file, ours.trusted).ok).toBe(false);
    }
  });
});

describe('the file of trusted keys', () => {
  test('may hold several', () => {
    expect([...parseTrustedKeys(ours.publicPem + theirs.publicPem).keys()]).toEqual([ours.id, theirs.id]);
  });

  test.each([
    ['nothing', '', 'no PUBLIC KEY'],
    [
      'a private key, which has no business there',
      ours.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'PRIVATE KEY',
    ],
    [
      'an RSA key',
      generateKeyPairSync('rsa', { modulusLength: 2048 })
        .publicKey.export({ type: 'spki', format: 'pem' })
        .toString(),
      'rsa',
    ],
  ])('with %s is refused', (_what, pem, reason) => {
    expect(() => parseTrustedKeys(pem)).toThrow(reason);
  });
});
