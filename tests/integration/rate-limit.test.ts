import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  question,
  type Scene,
  setScene,
  startAuthorizeInstance,
} from '../support/authorize-instance.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let scene: Scene;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  // So slow that nothing comes back while a test runs.
  instance = await startAuthorizeInstance(world, { callerLimit: { ratePerSecond: 0.01, burst: 5 } });
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

const ask = (token: string) => askAuthorize(instance.base, question(scene.alice), { token });

describe('a caller beyond its limit', () => {
  beforeAll(async () => {
    scene = await setScene(world);
  });

  test('is refused with the time after which to come back, and nothing is decided', async () => {
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push(await ask(scene.gateway.text));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = answers.at(-1);
    expect(refused?.json).toMatchObject({ code: 'rate_limit.exceeded', status: 429 });
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(instance.records).toHaveLength(5);
  });

  test('takes nothing from other callers, of its own organization or another', async () => {
    const itself = { type: 'service_account', id: scene.organization.idOf('outsider') };
    const colleague = await askAuthorize(instance.base, question(itself), { token: scene.outsider.text });
    expect(colleague.status).toBe(200);
    const elsewhere = await setScene(world);
    const answer = await askAuthorize(instance.base, question(elsewhere.alice), {
      token: elsewhere.gateway.text,
    });
    expect(answer.status).toBe(200);
  });
});

// Threat: a hundred questions in one request would be a way around the limit.
test('a batch counts by its items', async () => {
  const { gateway, alice } = await setScene(world);
  const evaluations = Array.from({ length: 6 }, () => ({ subject: alice }));
  const { action, resource } = question(alice);
  const response = await fetch(`${instance.base}/access/v1/evaluations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.text}` },
    body: JSON.stringify({ action, resource, evaluations }),
  });
  expect(response.status).toBe(429);
  await response.arrayBuffer();
});
