import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { assemblePep } from '../../shared/pep/assemble-pep.ts';
import type { Pep, Question } from '../../shared/pep/index.ts';
import { createHttpBundleSource } from '../../shared/policy-bundle/policy-bundle-source.http.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { startBundleServer } from '../support/bundle-server.ts';
import { compileBundle } from '../support/compile-bundle.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

const opa = await findOpa();

// Of a customer whose readers may be a little behind.
const rules = `
default decision := {"decision": false, "code": "not_permitted", "rule": "no_grant"}

decision := {"decision": true, "code": "permitted", "cache_seconds": 30} if input.action.name == "read"

decision := {"decision": false, "code": "not_permitted", "cache_seconds": 30} if input.action.name == "write"

decision := {"decision": true, "code": "permitted", "cache_seconds": 3600} if input.action.name == "browse"

decision := {"decision": true, "code": "permitted"} if input.action.name == "list"

decision := {"decision": true, "code": "permitted", "privileged": true, "cache_seconds": 30} if input.action.name == "pay"

decision := {"decision": true, "code": "permitted", "cache_seconds": "soon"} if input.action.name == "guess"

decision := {
  "decision": false,
  "code": "step_up_required",
  "obligations": [{"type": "step-up", "id": "mfa", "acr_value": "mfa"}],
  "cache_seconds": 30,
} if input.action.name == "sign"
`;

let world: AuthorizeWorld;
let organization: SeededOrganization;
let gateway: IssuedApiKey;
/** What the enforcement point under test asked, and the time it lives in. */
let sent: number;
let now: number;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  organization = await seedOrganization(world.pool, {
    users: ['alice', 'olga'],
    serviceAccounts: ['gateway'],
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'Developer', subject: 'alice' },
      { role: 'OrgOwner', subject: 'olga' },
    ],
  });
  gateway = await world.keys.issue(organization, 'gateway');
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  sent = 0;
  now = Date.parse('2026-01-01T00:00:00Z');
});

function cachingPep({ base }: AuthorizeInstance): Pep {
  const fetch: typeof globalThis.fetch = (...call) => {
    sent += 1;
    return globalThis.fetch(...call);
  };
  const clock = { now: () => new Date(now) };
  const cache = { entriesMax: 100, ttlMs: 3_600_000 };
  return assemblePep({ fetch, clock }, { url: base, credential: gateway.text, timeoutMs: 30_000, cache });
}

const may = (action: string, user = 'alice'): Question => ({
  subject: { type: 'user', id: organization.idOf(user) },
  action: { name: action },
  resource: { type: 'document', id: '42' },
});

describe.skipIf(opa === undefined)('a bundle that states lifetimes', () => {
  let instance: AuthorizeInstance;
  let bundles: Awaited<ReturnType<typeof startBundleServer>>;
  let pep: Pep;

  beforeAll(async () => {
    const { manifest, ...files } = await compileBundle(opa ?? '', rules);
    bundles = await startBundleServer();
    await bundles.publish({ ...files, manifest: Buffer.from(JSON.stringify(manifest)) });
    instance = await startAuthorizeInstance(world, {
      policies: { custom: { source: createHttpBundleSource(bundles.url) } },
    });
    await waitUntil(async () => instance.engine.status().revision === manifest.revision);
  });
  afterAll(async () => {
    await instance.close();
    await bundles.close();
  });
  beforeEach(() => {
    pep = cachingPep(instance);
    instance.records.length = 0;
  });

  it.each([
    ['read', 'allow', 30],
    ['write', 'deny', 30],
    ['browse', 'allow', 60],
  ])('%s: one request and one record until its lifetime ends', async (action, outcome, seconds) => {
    for (let times = 0; times < 3; times++)
      expect(await pep.evaluate(may(action))).toMatchObject({ outcome, context: { cache_seconds: seconds } });
    now += seconds * 1000 - 1;
    await pep.evaluate(may(action));
    expect([sent, instance.records.length]).toEqual([1, 1]);
    now += 1;
    expect((await pep.evaluate(may(action))).outcome).toBe(outcome);
    expect([sent, instance.records.length]).toEqual([2, 2]);
  });

  it.each([
    ['sign', 'step_up'],
    ['pay', 'allow'],
    ['list', 'allow'],
    ['guess', 'error'],
  ])('%s is asked each time, and its answer states no lifetime', async (action, outcome) => {
    for (let times = 0; times < 2; times++) {
      const answer = await pep.evaluate(may(action));
      expect(answer.outcome).toBe(outcome);
      if (answer.outcome !== 'error') expect(answer.context).not.toHaveProperty('cache_seconds');
    }
    expect([sent, instance.records.length]).toEqual([2, 2]);
  });

  it('each item of a batch has its own, and what is kept is not asked again', async () => {
    const questions = ['read', 'list', 'sign', 'write'].map((action) => may(action));
    const expected = ['allow', 'allow', 'step_up', 'deny'];
    const outcomes = await pep.evaluateAll(questions);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(expected);
    expect(instance.records.map(({ action }) => action)).toEqual(['read', 'list', 'sign', 'write']);
    instance.records.length = 0;
    expect((await pep.evaluateAll(questions)).map(({ outcome }) => outcome)).toEqual(expected);
    expect(instance.records.map(({ action }) => action)).toEqual(['list', 'sign']);
    expect((await pep.evaluate(may('read'))).outcome).toBe('allow');
    expect(sent).toBe(2);
  });

  it('is told of none to who asks for no reasons', async () => {
    const evaluations = { evaluations: [may('read')] };
    const ask = (body: unknown, path: string) =>
      askAuthorize(instance.base, body, { token: gateway.text, path });
    expect((await ask(may('read'), '/access/v1/evaluation')).text).toBe('{"decision":true}');
    expect((await ask(evaluations, '/access/v1/evaluations')).text).toBe(
      '{"evaluations":[{"decision":true}]}',
    );
  });
});

describe('the built-in bundle', () => {
  it('states no lifetime, so nothing is kept', async () => {
    const instance = await startAuthorizeInstance(world);
    await using _closing = { [Symbol.asyncDispose]: instance.close };
    const pep = cachingPep(instance);
    const read = (user: string, type: string): Question => ({
      ...may('read', user),
      resource: { type, id: organization.organizationId },
    });
    const cases = [
      [read('alice', 'organization'), 'allow'],
      [read('alice', 'document'), 'deny'],
      [read('olga', 'organization'), 'step_up'],
    ] as const;
    for (const [asked, outcome] of [...cases, ...cases]) {
      expect((await pep.evaluate(asked)).outcome).toBe(outcome);
    }
    expect([sent, instance.records.length]).toEqual([6, 6]);
  });
});
