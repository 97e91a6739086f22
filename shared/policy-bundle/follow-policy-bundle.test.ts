import { describe, expect, test } from 'vitest';
import { bundleFiles, createBundleSigner, signed } from '../../tests/support/policy-bundle-fixture.ts';
import { createPolicyEngine, type PolicyBundle } from '../authorization/index.ts';
import { fail, ok } from '../kernel/index.ts';
import { type FollowPolicyBundleOptions, followPolicyBundle } from './follow-policy-bundle.ts';
import { packPolicyBundle, unpackPolicyBundle } from './policy-bundle-archive.ts';
import type { PublishedBundleFiles } from './policy-bundle-files.ts';
import type { PolicyBundleFetch, PolicyBundleSource } from './policy-bundle-source.ts';
import { readTarGz, writeTarGz } from './tar-archive.ts';

const clock = { now: () => new Date(1_800_000_000_000) };
const [ours, theirs] = [createBundleSigner(), createBundleSigner()];

/** A source that has what was published last. */
function createMemorySource() {
  let tag = 0;
  let held: PublishedBundleFiles | undefined;
  const source: PolicyBundleSource = {
    location: 'memory',
    fetch: async (previousTag) => {
      if (held === undefined) return fail({ code: 'policy_bundle.unreachable', detail: 'nothing there' });
      if (String(tag) === previousTag) return ok<PolicyBundleFetch>({ status: 'unchanged' });
      return ok({ status: 'fetched', tag: String(tag), content: { form: 'files', files: held } });
    },
  };
  const publish = (files: PublishedBundleFiles | undefined) => {
    held = files;
    tag++;
  };
  return { source, publish };
}

function follow(options: FollowPolicyBundleOptions = {}) {
  const { source, publish } = createMemorySource();
  const engine = createPolicyEngine({ clock });
  const follower = followPolicyBundle({ source, engine, clock }, options);
  const offer = async (files: PublishedBundleFiles | undefined) => {
    publish(files);
    const checked = await follower.check();
    return checked.ok ? checked.value : checked.failure.code;
  };
  return { follower, engine, offer };
}

describe('an engine that follows a source', () => {
  test('serves what was published last, and says from where, which version and since when', async () => {
    const { follower, engine, offer } = follow();
    expect(follower.status()).toMatchObject({ source: 'memory', active: undefined });
    expect(await offer(await bundleFiles({ revision: 'a', version: 1 }))).toBe('activated');
    expect(await offer(await bundleFiles({ revision: 'b', version: 2 }))).toBe('activated');
    expect(engine.status().revision).toBe('b');
    expect(follower.status()).toEqual({
      source: 'memory',
      active: { revision: 'b', version: 2, signedBy: undefined, activatedAt: clock.now() },
      lastAttempt: { at: clock.now(), outcome: 'active' },
      lastFailure: undefined,
    });
  });

  // Threat: one slow start on a busy machine, and the old policy answers until somebody publishes again.
  test('tries again what could not be started, and only what could not', async () => {
    const { source, publish } = createMemorySource();
    const engine = createPolicyEngine({ clock });
    let timeouts = 1;
    const activate = (bundle: PolicyBundle) =>
      timeouts-- > 0 ? Promise.reject(new Error('the policy thread did not end')) : engine.activate(bundle);
    const follower = followPolicyBundle({ source, engine: { activate }, clock });
    publish(await bundleFiles({ revision: 'a' }));
    expect(await follower.check()).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.not_started' },
    });
    expect(follower.status()).toMatchObject({ active: undefined, lastAttempt: { outcome: 'refused' } });
    expect(await follower.check()).toEqual(ok('activated'));
    expect(await follower.check()).toEqual(ok('unchanged'));
    expect(follower.status()).toMatchObject({
      active: { revision: 'a' },
      lastAttempt: { outcome: 'active' },
    });
  });

  test('tries what never starts ever more seldom, and another one at once', async () => {
    const { source, publish } = createMemorySource();
    let tries = 0;
    const activate = async (bundle: PolicyBundle) => {
      if (bundle.manifest.revision === 'good') return ok(undefined);
      tries++;
      throw new Error('the policy thread did not end');
    };
    const follower = followPolicyBundle({ source, engine: { activate }, clock });
    publish(await bundleFiles({ revision: 'endless' }));
    for (let look = 0; look < 16; look++) await follower.check();
    expect(tries).toBe(5);
    expect(follower.status().lastAttempt?.outcome).toBe('refused');
    publish(await bundleFiles({ revision: 'good' }));
    expect(await follower.check()).toEqual(ok('activated'));
  });

  test('keeps the last good one while there is none, or none that works, and says why', async () => {
    const { follower, engine, offer } = follow();
    const good = await bundleFiles({ revision: 'good' });
    await offer(good);
    for (const [files, code] of [
      [undefined, 'policy_bundle.unreachable'],
      [{ ...good, data: Buffer.from('{}') }, 'policy_bundle.damaged'],
      [{ ...good, manifest: Buffer.from('{}') }, 'policy_bundle.malformed'],
    ] as const) {
      expect(await offer(files)).toBe(code);
      expect(engine.status().revision).toBe('good');
      expect(follower.status()).toMatchObject({
        active: { revision: 'good' },
        lastAttempt: { outcome: files === undefined ? 'unreachable' : 'refused' },
        lastFailure: { failure: { code } },
      });
    }
    expect(await follower.check()).toEqual(ok('unchanged'));
    expect(follower.status().lastAttempt?.outcome).toBe('refused');
    expect(await offer(good)).toBe('activated');
  });
});

describe('with trusted keys, a bundle', () => {
  const options = { trustedKeys: ours.trusted };

  test('that one of them signed is served, and the key named', async () => {
    const { follower, offer } = follow(options);
    expect(await offer(signed(await bundleFiles({ version: 1 }), ours))).toBe('activated');
    expect(follower.status().active?.signedBy).toBe(ours.id);
  });

  test.each([
    ['unsigned', 'policy_bundle.unsigned', (files: PublishedBundleFiles) => files],
    [
      'signed by someone else',
      'policy_bundle.untrusted',
      (files: PublishedBundleFiles) => signed(files, theirs),
    ],
    [
      'with the version raised after it was signed',
      'policy_bundle.signature_invalid',
      async (files: PublishedBundleFiles) => ({
        ...signed(files, ours),
        manifest: (await bundleFiles({ revision: 'x', version: 99 })).manifest,
      }),
    ],
    [
      'with other data under the signed manifest',
      'policy_bundle.damaged',
      (files: PublishedBundleFiles) => ({ ...signed(files, ours), data: Buffer.from('{}') }),
    ],
    [
      'with another policy under the signed manifest',
      'policy_bundle.damaged',
      (files: PublishedBundleFiles) => ({ ...signed(files, ours), wasm: Buffer.from('\0asm') }),
    ],
  ])('%s is refused, and the reason given', async (_what, code, change) => {
    const { engine, offer } = follow(options);
    await offer(signed(await bundleFiles({ revision: 'good', version: 1 }), ours));
    expect(await offer(await change(await bundleFiles({ revision: 'x', version: 2 })))).toBe(code);
    expect(engine.status().revision).toBe('good');
  });
});

describe('a version', () => {
  test('older than the one served, or none, is refused unless rollback is allowed', async () => {
    for (const [allowsRollback, expected] of [
      [false, 'policy_bundle.too_old'],
      [true, 'activated'],
    ] as const) {
      const { offer } = follow({ allowsRollback });
      await offer(await bundleFiles({ revision: 'new', version: 5 }));
      expect(await offer(await bundleFiles({ revision: 'old', version: 4 }))).toBe(expected);
      await offer(await bundleFiles({ revision: 'new', version: 5 }));
      expect(await offer(await bundleFiles({ revision: 'none' }))).toBe(expected);
    }
  });

  test('below the least that is configured is never served, not by a new instance either', async () => {
    const { offer } = follow({ versionMin: 3, allowsRollback: true });
    expect(await offer(await bundleFiles({ version: 2 }))).toBe('policy_bundle.too_old');
    expect(await offer(await bundleFiles({ version: 3 }))).toBe('activated');
  });

  // Two bundles of one version: then which one an instance serves would be chance.
  test('published twice with different content is refused the second time', async () => {
    const { offer } = follow();
    await offer(await bundleFiles({ revision: 'a', version: 1 }));
    expect(await offer(await bundleFiles({ revision: 'b', version: 1 }))).toBe(
      'policy_bundle.version_reused',
    );
    expect(await offer(await bundleFiles({ revision: 'a', version: 1 }))).toBe('activated');
  });
});

test('an archive lacking a part is refused, and one with a stranger in it served', async () => {
  const packed = await readTarGz(await packPolicyBundle(await bundleFiles()), { unpackedBytesMax: 1e7 });
  if (!packed.ok) throw new Error(packed.failure.detail);
  const members = [...packed.value];
  const lacking = await unpackPolicyBundle(await writeTarGz(members.slice(1)));
  expect(lacking).toMatchObject({ ok: false, failure: { code: 'policy_bundle.missing' } });
  const more = await unpackPolicyBundle(await writeTarGz([...members, ['README', Buffer.from('x')]]));
  expect(more.ok).toBe(true);
});
