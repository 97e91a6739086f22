import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyApiKey } from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  question,
  setScene,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { createTestSigningKey, mintTestToken, type TestSigningKey } from '../support/test-token.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let signingKey: TestSigningKey;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  signingKey = await createTestSigningKey(world.pool, world.keys.wrappingKeyFile);
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

function change(organizationId: string, set: { expires_at: Date } | { status: 'disabled' }, id: string) {
  return withOrg(world.pool, organizationId, (tx) =>
    tx.updateTable('service_account').set(set).where('service_account_id', '=', id).execute(),
  );
}

/** Whoever asks about `gateway`: itself by key, itself by token, and `observer` about it. */
async function setUp() {
  const scene = await setScene(world);
  const { organizationId, idOf } = scene.organization;
  const about = { account: idOf('gateway'), organizationId, apiKeyId: scene.gateway.key.id };
  const token = await mintTestToken(signingKey, about);
  const gateway = { type: 'service_account', id: idOf('gateway') };
  const asked = {
    ...question(gateway, { action: 'evaluate' }),
    resource: { type: 'authorization', id: 'x' },
  };
  const ask = (credential: string) => askAuthorize(instance.base, asked, { token: credential });
  return { ...scene, organizationId, gatewayId: idOf('gateway'), token, ask };
}

// Nothing is written at the instant itself: no NOTIFY tells the caches, which must know by the clock.
it('an account is refused from its expiry on by an instance that remembers it, with its key and its token', async () => {
  const { organizationId, gatewayId, gateway, token, ask } = await setUp();
  // What was answered in time shows something only if all of it was in time: else once more, with more of it.
  for (let marginMs = 2_500, isInTime = false; !isInTime; marginMs *= 2) {
    const expiresAt = Date.now() + marginMs;
    await change(organizationId, { expires_at: new Date(expiresAt) }, gatewayId);
    const answers: string[] = [];
    // Each twice, so that the second answer comes from memory.
    for (const credential of [gateway.text, gateway.text, token, token])
      answers.push((await ask(credential)).text);
    isInTime = Date.now() < expiresAt;
    if (isInTime) expect(answers).toEqual(Array(4).fill('{"decision":true}'));
  }
  for (const credential of [gateway.text, token]) {
    await waitUntil(async () => (await ask(credential)).status === 401);
  }
});

// The issuer of tokens asks for no facts: what it gives out for a key rests on the key's verification alone.
it.each([
  ['expired', { expires_at: new Date(0) }, 'owner_expired'],
  ['been disabled', { status: 'disabled' as const }, 'owner_disabled'],
])('no key proves an account that has %s', async (_, end, reason) => {
  const { organizationId, gatewayId, gateway } = await setUp();
  const verify = () => verifyApiKey({ ...world.keys.deps, pool: world.pool }, gateway.text);
  expect((await verify()).ok).toBe(true);
  await change(organizationId, end, gatewayId);
  expect(await verify()).toMatchObject({ ok: false, failure: { reason } });
});

it('an account past its expiry is refused in decisions about it, and so are its keys as subjects', async () => {
  const { organizationId, gatewayId, gateway, organization } = await setUp();
  const observer = await world.keys.issue(organization, 'outsider');
  await withOrg(world.pool, organizationId, (tx) =>
    tx
      .updateTable('role_binding')
      .set({ subject_id: organization.idOf('outsider') })
      .where('binding_id', '=', organization.bindingIds[0] ?? '')
      .execute(),
  );
  await withOrg(world.pool, organizationId, (tx) =>
    tx
      .updateTable('role_binding')
      .set({ subject_type: 'service_account', subject_id: gatewayId })
      .where('binding_id', '=', organization.bindingIds[1] ?? '')
      .execute(),
  );
  for (const subject of [
    { type: 'service_account', id: gatewayId },
    { type: 'api_key', id: gateway.key.id },
  ]) {
    const decide = async () =>
      (await askAuthorize(instance.base, question(subject), { token: observer.text })).json.decision;
    await change(organizationId, { expires_at: new Date(Date.now() + 3_600_000) }, gatewayId);
    await waitUntil(async () => (await decide()) === true);
    await change(organizationId, { expires_at: new Date() }, gatewayId);
    await waitUntil(async () => (await decide()) === false);
  }
});
