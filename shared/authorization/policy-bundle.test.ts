import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type PolicyBundle, parsePolicyBundle, readPolicyBundle } from './policy-bundle.ts';

const directory = join(import.meta.dirname, '../../policies/bundle');

async function kept(): Promise<PolicyBundle> {
  const read = await readPolicyBundle(directory);
  if (!read.ok) throw new Error(read.failure.detail);
  return read.value;
}

function flipByte(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

function encode(manifest: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(manifest));
}

describe('a policy bundle', () => {
  test('kept in the repository is whole', async () => {
    expect((await kept()).manifest.revision).toMatch(/^[0-9a-f]{16}$/);
  });

  // Threat: one flipped bit turns a deny into an allow.
  test.each(['wasm', 'data'] as const)('with one changed bit in its %s is refused', async (part) => {
    const bundle = await kept();
    const files = { ...bundle, manifest: encode(bundle.manifest) };
    expect(parsePolicyBundle(files).ok).toBe(true);
    const damaged = parsePolicyBundle({ ...files, [part]: flipByte(bundle[part], 100) });
    expect(damaged).toMatchObject({ ok: false, failure: { code: 'policy_bundle.damaged' } });
  });

  test.each([
    ['that is not JSON', Buffer.from('{"revision":')],
    ['without digests', encode({ revision: 'x', entrypoint: 'uos/authz/decision', opa_version: '1' })],
  ])('with a manifest %s is refused', async (_what, manifest) => {
    const refused = parsePolicyBundle({ ...(await kept()), manifest });
    expect(refused).toMatchObject({ ok: false, failure: { code: 'policy_bundle.malformed' } });
  });

  test('for another entrypoint is refused', async () => {
    const bundle = await kept();
    const manifest = encode({ ...bundle.manifest, entrypoint: 'other/allow' });
    expect(parsePolicyBundle({ ...bundle, manifest })).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.malformed' },
    });
  });

  test('that is not there is a failure, not a fault', async () => {
    expect(await readPolicyBundle(join(directory, 'absent'))).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.missing' },
    });
  });
});
