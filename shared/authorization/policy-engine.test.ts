import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type PolicyBundle, readPolicyBundle } from './policy-bundle.ts';
import { createPolicyEngine, type PolicyEngine } from './policy-engine.ts';
import type { PolicyInput } from './policy-input.ts';

const now = new Date(1_800_000_000_000);
const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const read = await readPolicyBundle(join(import.meta.dirname, '../../policies/bundle'));
if (!read.ok) throw new Error(read.failure.detail);
const good: PolicyBundle = read.value;
const broken: PolicyBundle = {
  ...good,
  manifest: { ...good.manifest, revision: 'broken' },
  wasm: good.wasm.slice(0, 999),
};

const question: PolicyInput = {
  now: 1_800_000_000,
  organization: { id: organizationId, status: 'active' },
  subject: { type: 'user', id: 'usr_1', known: true, status: 'active', teams: [] },
  bindings: [
    {
      id: 'bind_1',
      role: 'reader',
      permissions: ['document:read'],
      effect: 'allow',
      scope: { type: 'organization', id: organizationId },
    },
  ],
  action: { name: 'read' },
  resource: { type: 'document', id: '42', properties: {} },
  context: {},
};

let engine: PolicyEngine;

beforeEach(() => {
  engine = createPolicyEngine({ clock: { now: () => now } });
});

describe('an engine without a policy', () => {
  test('refuses every question', () => {
    expect(engine.evaluate(question)).toMatchObject({ decision: false, code: 'error' });
    expect(engine.status()).toEqual({ revision: undefined, activatedAt: undefined });
  });

  test('stays without one when its first bundle is broken', async () => {
    expect(await engine.activate(broken)).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.unusable' },
    });
    expect(engine.evaluate(question).code).toBe('error');
  });
});

describe('an engine with a policy', () => {
  beforeEach(async () => {
    expect((await engine.activate(good)).ok).toBe(true);
  });

  test('answers with the rule, the binding and the revision', () => {
    const { revision } = good.manifest;
    const expected = {
      decision: true,
      code: 'permitted',
      rule: 'granted_by_binding',
      binding: 'bind_1',
      revision,
    };
    expect(engine.evaluate(question)).toEqual(expected);
  });

  test('keeps the last good policy when a broken bundle arrives, and says so', async () => {
    await engine.activate(broken);
    expect(engine.evaluate(question).decision).toBe(true);
    expect(engine.status()).toMatchObject({
      revision: good.manifest.revision,
      refused: { revision: 'broken', failure: { code: 'policy_bundle.unusable' }, at: now },
    });
    await engine.activate(good);
    expect(engine.status()).not.toHaveProperty('refused');
  });

  test.each([
    ['a module that is not a policy', Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)],
    ['bytes that are not a module', new Uint8Array(64)],
    ['nothing', new Uint8Array()],
  ])('refuses %s', async (_what, wasm) => {
    const refused = await engine.activate({ ...good, wasm });
    expect(refused).toMatchObject({ ok: false, failure: { code: 'policy_bundle.unusable' } });
    expect(engine.evaluate(question).decision).toBe(true);
  });

  test('refuses data that is not JSON', async () => {
    const refused = await engine.activate({ ...good, data: Buffer.from('{') });
    expect(refused).toMatchObject({ ok: false, failure: { code: 'policy_bundle.unusable' } });
  });

  const deep = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`);
  const circular: Record<string, unknown> = {};
  circular['itself'] = circular;
  test.each([
    ['too large an input', { ...question, context: { text: 'x'.repeat(2_000_000) } }],
    ['an input that is not JSON', { ...question, context: { authentication: circular } }],
  ])('refuses %s with the code error, and answers the next question', (_what, hostile) => {
    expect(engine.evaluate(hostile)).toMatchObject({ decision: false, code: 'error' });
    expect(engine.evaluate(question).decision).toBe(true);
  });

  // Threats: a lone surrogate, a NUL that ends C strings, nesting that exhausts the guest's stack.
  test.each([
    ['a lone surrogate', { text: '\ud800' }],
    ['a NUL', { text: 'a\0b', '\0': 1 }],
    ['deep nesting', deep],
    ['a large but lawful context', { text: 'é'.repeat(300_000) }],
  ])('is not confused by %s in the context', (_what, context) => {
    const { decision, code } = engine.evaluate({ ...question, context });
    expect(decision || code === 'error').toBe(true);
    expect(engine.evaluate(question).decision).toBe(true);
    expect(engine.evaluate({ ...question, bindings: [], context }).decision).toBe(false);
  });

  test('lets the bundle that was offered last answer, even where an earlier one takes longer', async () => {
    const later = { ...good, manifest: { ...good.manifest, revision: 'later' } };
    const padded = { ...good, data: Buffer.concat([good.data, Buffer.alloc(4_000_000, ' ')]) };
    await Promise.all([engine.activate(padded), engine.activate(later)]);
    expect(engine.status().revision).toBe('later');
  });
});
