import { describe, expect, test } from 'vitest';
import { type PolicyInput, parsePolicyBundle } from '../../shared/authorization/index.ts';
import { compileEndlessPolicy } from '../../tests/support/endless-policy.ts';
import { bundleFiles } from '../../tests/support/policy-bundle-fixture.ts';
import { openShadowThread } from './shadow-thread.ts';

const endless = await compileEndlessPolicy();

async function builtIn(revision: string) {
  const bundle = parsePolicyBundle(await bundleFiles({ revision }));
  if (!bundle.ok) throw new Error(bundle.failure.detail);
  return bundle.value;
}

const asking = (action: string) =>
  JSON.stringify({
    now: 1,
    organization: { id: 'org_1', status: 'active' },
    subject: { type: 'user', id: 'usr_ann', known: false, status: 'active', teams: [] },
    bindings: [],
    action: { name: action },
    resource: { type: 'document', id: '1', properties: {} },
    context: {},
  } satisfies PolicyInput);

describe('the thread of a shadow policy', { timeout: 30_000 }, () => {
  test('decides by the bundle it was given last', async () => {
    const thread = openShadowThread({ timeoutMs: 10_000 });
    expect(await thread.evaluate([asking('read')])).toBeUndefined();
    expect((await thread.activate(await builtIn('one'))).ok).toBe(true);
    expect(thread.revision()).toBe('one');
    expect(await thread.evaluate([asking('read'), asking('write')])).toEqual([
      { decision: false, code: 'unknown_subject', rule: 'subject_unknown' },
      { decision: false, code: 'unknown_subject', rule: 'subject_unknown' },
    ]);
    await thread.close();
  });

  test('keeps the last good bundle when the next does not work', async () => {
    const thread = openShadowThread({ timeoutMs: 10_000 });
    const good = await builtIn('good');
    await thread.activate(good);
    const broken = { ...good, manifest: { ...good.manifest, revision: 'broken' }, wasm: Buffer.from('no') };
    expect(await thread.activate(broken)).toMatchObject({ failure: { code: 'policy_bundle.unusable' } });
    expect(thread.revision()).toBe('good');
    expect(await thread.evaluate([asking('read')])).toHaveLength(1);
    await thread.close();
  });

  // WASM cannot be interrupted: in our own thread this would be the end of every answer.
  test.skipIf(endless === undefined)(
    'is ended when it gives no answer in time, and begun again',
    async () => {
      const thread = openShadowThread({ timeoutMs: 1_000 });
      if (endless === undefined) return;
      expect((await thread.activate(endless)).ok).toBe(true);
      let turns = 0;
      const ticking = setInterval(() => turns++, 5);
      expect(await thread.evaluate([asking('spin')])).toBeUndefined();
      clearInterval(ticking);
      expect(turns).toBeGreaterThan(10);
      expect(await thread.evaluate([asking('read')])).toEqual([
        { decision: false, code: 'not_permitted', rule: undefined },
      ]);
      await thread.close();
    },
  );
});
