import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiKeyText } from '../../shared/api-key/api-key-text.ts';
import { apiKeyId } from '../../shared/api-key/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
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

// Threat: one leaked key uses up what the service's other keys may ask.
test('a key has a limit of its own beside that of its account', async () => {
  const limited = await startAuthorizeInstance(world, { keyLimit: { ratePerSecond: 0.01, burst: 3 } });
  const scene = await setScene(world);
  const answers = [];
  for (let n = 0; n < 4; n++) {
    answers.push(await askAuthorize(limited.base, question(scene.alice), { token: scene.gateway.text }));
  }
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  const itself = { type: 'service_account', id: scene.organization.idOf('outsider') };
  const other = await askAuthorize(limited.base, question(itself), { token: scene.outsider.text });
  expect(other.status).toBe(200);
  await limited.close();
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

describe('an address whose keys are wrong', () => {
  let limited: AuthorizeInstance;
  beforeAll(async () => {
    limited = await startAuthorizeInstance(world, { failures: { ratePerSecond: 0.001, burst: 3 } });
  });
  afterAll(() => limited.close());

  const statusOf = async (token: string, address: string) => {
    const headers = { 'x-forwarded-for': address };
    return (await askAuthorize(limited.base, question(scene.alice), { token, headers })).status;
  };
  const statusesOf = async (tokens: readonly string[], address: string) => {
    const statuses: number[] = [];
    for (const token of tokens) statuses.push(await statusOf(token, address));
    return statuses;
  };
  /** Well-formed, and nobody's: each would be looked up. */
  const strangers = (count: number) =>
    Array.from({ length: count }, () =>
      createApiKeyText(random, apiKeyId.create({ clock, random }), { kind: 'sa', environment: 'live' }),
    );

  // Threat: made-up keys, each of which costs a statement, fill what waits for the database.
  test('has no more looked up, is told when to come back, and others are not held up', async () => {
    expect(await statusesOf(strangers(5), '192.0.2.1')).toEqual([401, 401, 401, 429, 429]);
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const token = scene.outsider.text;
    const refused = await askAuthorize(limited.base, question(scene.alice), { token, headers });
    const detail = 'Too many attempts from this address have failed';
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limit.exceeded', detail } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const status = await fetch(`${limited.base}/policy/status`, {
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    await status.arrayBuffer();
    expect([status.status, Number(status.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await statusOf(scene.gateway.text, '192.0.2.2')).toBe(200);
  });

  test('goes on being answered for keys that are known to be good', async () => {
    expect(await statusOf(scene.gateway.text, '192.0.2.3')).toBe(200);
    expect(await statusesOf(strangers(4), '192.0.2.3')).toEqual([401, 401, 401, 429]);
    expect(await statusesOf(Array(5).fill(scene.gateway.text), '192.0.2.3')).toEqual(Array(5).fill(200));
  });

  test('is not one whose keys are good, or malformed, which costs nothing', async () => {
    expect(await statusesOf(Array(10).fill('uos_nonsense'), '192.0.2.4')).toEqual(Array(10).fill(401));
    expect(await statusOf((await setScene(world)).gateway.text, '192.0.2.4')).not.toBe(429);
  });
});
