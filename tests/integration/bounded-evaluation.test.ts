import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import {
  type BoundedPolicyEngine,
  createBoundedPolicyEngine,
  type PolicyBundle,
  type PolicyInput,
} from '../../shared/authorization/index.ts';
import { systemClock as clock } from '../../shared/kernel/index.ts';
import { compileBundle } from '../support/compile-bundle.ts';

const opa = await findOpa();

// Threat: a customer's rule that looks for a long text in a longer one, many times, stops the process for everyone.
// One that visits combinations would end by itself: what it visits takes memory, and that runs out within a second.
const rules = `
default decision := {"decision": false, "code": "not_permitted"}

decision := {"decision": true, "code": "permitted"} if {
  input.action.name == "read"
  not endless
}

endless if {
  text := input.context.hostile
  sought := concat("", [substring(text, 0, count(text) / 2), "b"])
  some _ in numbers.range(1, 1000)
  contains(text, sought)
}
`;

const question: PolicyInput = {
  now: 1_800_000_000,
  organization: { id: 'org_1', status: 'active' },
  subject: { type: 'user', id: 'usr_1', known: true, status: 'active', teams: [] },
  bindings: [],
  action: { name: 'read' },
  resource: { type: 'document', id: '42', properties: {} },
  context: {},
};
const hostile: PolicyInput = { ...question, context: { hostile: 'a'.repeat(200_000) } };

/** However slow the machine is, what can be decided is decided in time, and nothing waits for too long. */
const bounds = { deadlineMs: 1_000, waitMs: 60_000 };

describe.skipIf(opa === undefined)('a policy that we did not write', () => {
  let bundle: PolicyBundle;
  let engine: BoundedPolicyEngine;

  beforeAll(async () => {
    bundle = await compileBundle(opa ?? '', rules);
    engine = createBoundedPolicyEngine({ clock }, bounds);
    expect(await engine.activate(bundle)).toMatchObject({ ok: true });
  });
  afterAll(() => engine.close());

  test('answers as one in process does', async () => {
    expect(await engine.evaluate(question)).toMatchObject({ decision: true, code: 'permitted' });
    expect((await engine.evaluate({ ...question, action: { name: 'write' } })).decision).toBe(false);
    expect(engine.status().revision).toBe(bundle.manifest.revision);
  });

  test('refuses what it cannot decide in time, and answers everything that waited behind it', async () => {
    const slow = engine.evaluate(hostile);
    const others = Array.from({ length: 200 }, () => engine.evaluate(question));
    expect(await slow).toMatchObject({ decision: false, code: 'error' });
    expect((await Promise.all(others)).every(({ decision }) => decision)).toBe(true);
  });

  test('leaves the event loop to others while a rule does not end', async () => {
    const slow = engine.evaluate(hostile).then(() => 'ended');
    let turns = 0;
    while ((await Promise.race([slow, nextTurn()])) === 'turn') turns++;
    expect(turns).toBeGreaterThan(100);
  });

  test('is still there after many that did not end', async () => {
    const asked = Array.from({ length: 4 }, () => [engine.evaluate(hostile), engine.evaluate(question)]);
    const answers = await Promise.all(asked.flat());
    expect(answers.map(({ decision }) => decision)).toEqual(
      Array.from({ length: 4 }, () => [false, true]).flat(),
    );
  });

  // Threat: one tenant's questions without end take the thread from all the others.
  test('answers another organization before hostile questions of the first are through', {
    timeout: 180_000,
  }, async () => {
    const fresh = createBoundedPolicyEngine(
      { clock: { now: () => new Date('2026-01-01T00:00:00Z') } },
      bounds,
    );
    await fresh.activate(bundle);
    let ended = 0;
    const hostiles = Array.from({ length: 50 }, () =>
      fresh.evaluate(hostile).then((decision) => {
        ended++;
        return decision;
      }),
    );
    const other = { ...question, organization: { id: 'org_2', status: 'active' as const } };
    expect(await fresh.evaluate(other)).toMatchObject({ decision: true });
    expect(ended).toBeLessThan(50);
    const decisions = await Promise.all(hostiles);
    // After the first few the organization rests: its questions are put off, and nobody waits for them.
    expect(decisions.filter(({ revision }) => revision !== undefined)).toHaveLength(11);
    expect(await fresh.evaluate(other)).toMatchObject({ decision: true });
    expect(await fresh.evaluate(question)).toMatchObject({ decision: false, cause: expect.any(Error) });
    await fresh.close();
  });

  test('is refused when it does not work, and the last good one stays', async () => {
    const broken = { ...bundle, wasm: bundle.wasm.slice(0, 999) };
    expect(await engine.activate(broken)).toMatchObject({
      ok: false,
      failure: { code: 'policy_bundle.unusable' },
    });
    expect(await engine.evaluate(question)).toMatchObject({ decision: true });
  });

  test('is replaced without losing what is being asked', async () => {
    const changed = await compileBundle(opa ?? '', `${rules}\n# changed`);
    const before = Array.from({ length: 50 }, () => engine.evaluate(question));
    expect((await engine.activate(changed)).ok).toBe(true);
    const after = await engine.evaluate(question);
    expect((await Promise.all(before)).every(({ decision }) => decision)).toBe(true);
    expect(after.revision).toBe(changed.manifest.revision);
  });
});

function nextTurn(): Promise<'turn'> {
  return new Promise((resolve) => setImmediate(() => resolve('turn')));
}
