import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { createHttpBundleSource } from '../../shared/policy-bundle/policy-bundle-source.http.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { type BundleServer, startBundleServer } from '../support/bundle-server.ts';
import { bundleFiles, createBundleSigner, signed, withData } from '../support/policy-bundle-fixture.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

const [ours, theirs] = [createBundleSigner(), createBundleSigner()];
let world: AuthorizeWorld;
let organization: SeededOrganization;
let gateway: IssuedApiKey;
let server: BundleServer;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  server = await startBundleServer();
  organization = await seedOrganization(world.pool, {
    users: ['ben'],
    serviceAccounts: ['gateway'],
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'Member', subject: 'ben' },
    ],
  });
  gateway = await world.keys.issue(organization, 'gateway');
});
afterAll(async () => {
  await server.close();
  await world[Symbol.asyncDispose]();
});

/** In odd versions a member may do nothing more than always, in even ones everything. */
async function versionOf(version: number) {
  const files = await bundleFiles({ version });
  return withData(files, `r${version}`, ({ roles }) => {
    if (version % 2 === 0) roles.Member.permissions = ['*:*'];
  });
}

async function status(instance: AuthorizeInstance, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${instance.base}/policy/status`, { headers });
  return { code: response.status, json: JSON.parse(await response.text()) };
}

const mayDelete = (instance: AuthorizeInstance) =>
  askAuthorize(
    instance.base,
    {
      subject: { type: 'user', id: organization.idOf('ben') },
      action: { name: 'delete' },
      resource: { type: 'document', id: '42' },
      options: { reasons: true },
    },
    { token: gateway.text },
  );

describe('a bundle of a customer', () => {
  it('replaces the one that answers without a request dropped, each answered by one of the two', async () => {
    await server.publish(signed(await versionOf(1), ours));
    const instance = await startAuthorizeInstance(world, {
      policies: { custom: { source: createHttpBundleSource(server.url), trustedKeys: ours.trusted } },
    });
    await waitUntil(async () => (await status(instance)).json.revision === 'r1');
    const seen = new Map<string, number>();
    let isDone = false;
    const ask = async () => {
      while (!isDone) {
        const { status: code, json } = await mayDelete(instance);
        const revision: string = json.context.policy_revision;
        expect(code).toBe(200);
        expect([revision, json.decision]).toEqual([
          expect.stringMatching(/^r[1-6]$/),
          Number(revision.slice(1)) % 2 === 0,
        ]);
        seen.set(revision, (seen.get(revision) ?? 0) + 1);
      }
    };
    const asking = Array.from({ length: 8 }, ask);
    for (let version = 2; version <= 6; version++) {
      await waitUntil(async () => (seen.get(`r${version - 1}`) ?? 0) >= 20);
      await server.publish(signed(await versionOf(version), ours));
    }
    await waitUntil(async () => (seen.get('r6') ?? 0) >= 20);
    isDone = true;
    await Promise.all(asking);
    expect([...seen.keys()].sort()).toEqual(['r1', 'r2', 'r3', 'r4', 'r5', 'r6']);
    await instance.close();
  });

  it('that is unsigned, of a stranger, older or away leaves the last good one, and the status says why', async () => {
    await server.publish(signed(await versionOf(8), ours));
    const instance = await startAuthorizeInstance(world, {
      policies: { custom: { source: createHttpBundleSource(server.url), trustedKeys: ours.trusted } },
    });
    await waitUntil(async () => (await status(instance)).json.revision === 'r8');
    expect((await status(instance)).json).toMatchObject({
      revision: 'r8',
      version: 8,
      source: server.url,
      signed_by: ours.id,
      last_attempt: { outcome: 'active' },
    });
    for (const [files, outcome, code] of [
      [await versionOf(9), 'refused', 'policy_bundle.unsigned'],
      [signed(await versionOf(9), theirs), 'refused', 'policy_bundle.untrusted'],
      [signed(await versionOf(7), ours), 'refused', 'policy_bundle.too_old'],
      [undefined, 'unreachable', 'policy_bundle.unreachable'],
    ] as const) {
      await server.publish(files);
      await waitUntil(async () => (await status(instance)).json.last_failure?.code === code);
      expect((await status(instance)).json).toMatchObject({ revision: 'r8', last_attempt: { outcome } });
      expect((await mayDelete(instance)).json).toMatchObject({
        decision: true,
        context: { policy_revision: 'r8' },
      });
    }
    await instance.close();
  });

  it('keeps an instance that has none yet unready, and makes it ready when it comes', async () => {
    await server.publish(undefined);
    const instance = await startAuthorizeInstance(world, {
      policies: { custom: { source: createHttpBundleSource(server.url) } },
    });
    await waitUntil(async () => (await status(instance)).json.last_attempt?.outcome === 'unreachable');
    expect((await fetch(`${instance.base}/health/ready`)).status).toBe(503);
    expect((await mayDelete(instance)).status).toBe(503);
    await server.publish(await versionOf(1));
    await waitUntil(async () => (await fetch(`${instance.base}/health/ready`)).status === 200);
    await instance.close();
  });
});

describe('a shadow bundle', () => {
  it('never changes an answer, and has its disagreements counted by rule and by whom they are about', async () => {
    await server.publish(signed(await versionOf(2), ours));
    const instance = await startAuthorizeInstance(world, {
      policies: { shadow: { source: createHttpBundleSource(server.url), trustedKeys: ours.trusted } },
    });
    await waitUntil(async () => (await status(instance)).json.shadow.revision === 'r2');
    for (let at = 0; at < 5; at++) expect((await mayDelete(instance)).json.decision).toBe(false);
    await waitUntil(async () => (await status(instance)).json.shadow.comparison?.disagreed === 5);
    const { json } = await status(instance, gateway.text);
    expect(json.shadow).toMatchObject({
      source: server.url,
      revision: 'r2',
      sample_rate: 1,
      dropped: 0,
      failed: 0,
      comparison: {
        live_revision: instance.engine.status().revision,
        shadow_revision: 'r2',
        by_rule: [
          {
            live: { decision: false, code: 'not_permitted' },
            shadow: { decision: true, code: 'permitted' },
            count: 5,
          },
        ],
        by_subject: [
          { organization: organization.organizationId, type: 'user', id: organization.idOf('ben'), count: 5 },
        ],
      },
    });
    await instance.close();
  });

  // Threat: a status page that tells one tenant who works for another.
  it('names whom it is about to the same organization alone', async () => {
    const other = await seedOrganization(world.pool, { serviceAccounts: ['spy'] });
    const spy = await world.keys.issue(other, 'spy');
    const instance = await startAuthorizeInstance(world, {
      policies: { shadow: { source: createHttpBundleSource(server.url) } },
    });
    await waitUntil(async () => (await status(instance)).json.shadow.revision === 'r2');
    await mayDelete(instance);
    await waitUntil(async () => (await status(instance)).json.shadow.comparison?.disagreed === 1);
    const [anonymous, outsider] = [await status(instance), await status(instance, spy.text)];
    expect(anonymous.json.shadow.comparison.by_subject).toBeUndefined();
    expect(outsider.json.shadow.comparison.by_subject).toEqual([]);
    expect(JSON.stringify([anonymous, outsider])).not.toContain(organization.idOf('ben'));
    expect((await status(instance, 'nonsense')).code).toBe(401);
    await instance.close();
  });

  it('that is away, broken or untrusted costs no answer', async () => {
    await server.publish({ ...(await versionOf(2)), wasm: Buffer.from('no') });
    const instance = await startAuthorizeInstance(world, {
      policies: { shadow: { source: createHttpBundleSource(server.url) } },
    });
    await waitUntil(async () => (await status(instance)).json.shadow.last_failure !== undefined);
    expect((await mayDelete(instance)).json.decision).toBe(false);
    expect((await status(instance)).json.shadow).toMatchObject({
      last_failure: { code: 'policy_bundle.damaged' },
      dropped: 0,
    });
    await instance.close();
  });
});
