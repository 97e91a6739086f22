import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { createPep, type Pep, type Question } from '../../shared/pep/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../support/authorize-instance.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let organization: SeededOrganization;
let gateway: IssuedApiKey;
let outsider: IssuedApiKey;
let pep: Pep;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
  organization = await seedOrganization(world.pool, {
    users: ['alice', 'olga'],
    serviceAccounts: ['gateway', 'outsider'],
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'OrgOwner', subject: 'olga' },
      { role: 'reader', subject: 'alice' },
      { role: 'reader', subject: 'alice', at: { resource: 'document:secret' }, effect: 'deny' },
    ],
  });
  gateway = await world.keys.issue(organization, 'gateway');
  outsider = await world.keys.issue(organization, 'outsider');
  pep = createPep({ url: instance.base, credential: gateway.text, timeoutMs: 10_000 });
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

const read = (user: string, document = '42', context?: Question['context']): Question => ({
  subject: { type: 'user', id: organization.idOf(user) },
  action: { name: 'read' },
  resource: { type: 'document', id: document },
  ...(context === undefined ? {} : { context }),
});

describe('against the real decision point', () => {
  it('an allow, a denial and their reasons are read', async () => {
    expect(await pep.evaluate(read('alice'))).toMatchObject({
      outcome: 'allow',
      context: { code: 'permitted', rule: 'granted_by_binding' },
    });
    expect(await pep.evaluate(read('alice', 'secret'))).toMatchObject({
      outcome: 'deny',
      context: { code: 'forbidden', binding: organization.bindingIds[3] },
    });
    await expect(pep.require(read('alice', 'secret'))).rejects.toThrow('Access refused: deny');
  });

  it('step-up is asked for, and the second factor given in the context ends it', async () => {
    expect(await pep.evaluate(read('olga'))).toMatchObject({
      outcome: 'step_up',
      stepUp: { acr: 'https://refeds.org/profile/mfa' },
    });
    const authentication = { amr: ['pwd', 'mfa'] };
    expect(await pep.evaluate(read('olga', '42', { authentication }))).toMatchObject({ outcome: 'allow' });
  });

  it('a caller who may not ask gets nothing decided', async () => {
    const { base } = instance;
    const askAs = (credential: string) =>
      createPep({ url: base, credential, timeoutMs: 30_000 }).evaluate(read('alice'));
    const failure = { code: 'decision_point.refused' };
    expect(await askAs(outsider.text)).toMatchObject({
      decision: false,
      failure: { ...failure, status: 403 },
    });
    expect(await askAs('nonsense')).toMatchObject({ decision: false, failure: { ...failure, status: 401 } });
  });

  it('the request id reaches the decision record', async () => {
    await pep.evaluate(read('alice'), { requestId: 'pep-1' });
    expect(instance.records.map(({ requestId }) => requestId)).toContain('pep-1');
  });

  it('a list longer than one batch may be is answered in order', async () => {
    const questions = Array.from({ length: 250 }, (_, n) => read('alice', n % 7 === 3 ? 'secret' : `${n}`));
    const outcomes = await pep.evaluateAll(questions);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(
      questions.map(({ resource }) => (resource.id === 'secret' ? 'deny' : 'allow')),
    );
  });

  it.each([
    ['deny_on_first_deny', ['allow', 'deny']],
    ['permit_on_first_permit', ['allow']],
    ['execute_all', ['allow', 'deny', 'allow']],
  ] as const)('%s ends where the decision point ends', async (semantic, expected) => {
    const questions = [read('alice'), read('alice', 'secret'), read('alice', '43')];
    const outcomes = await pep.evaluateAll(questions, semantic);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(expected);
  });
});
