import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkScopes,
  type IssuedApiKey,
  issuePersonalApiKey,
  policyOwnerRights,
  userId,
} from '../../shared/api-key/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { withOrg } from '../../shared/db/index.ts';
import { invariant, systemClock } from '../../shared/kernel/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { issueScopedKey, setKeyScopes } from '../support/scoped-api-key.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';
import { createTestSigningKey, mintTestToken, type TestSigningKey } from '../support/test-token.ts';

describe('the decision point', () => {
  let world: AuthorizeWorld;
  let instance: AuthorizeInstance;
  let signingKey: TestSigningKey;
  let organization: SeededOrganization;
  let gateway: IssuedApiKey;
  let writer: { readonly type: 'service_account'; readonly id: string };
  /** Of `writer`, which may do anything with documents and ask about others. */
  let reading: IssuedApiKey;

  beforeAll(async () => {
    world = await createAuthorizeWorld();
    signingKey = await createTestSigningKey(world.pool, world.keys.wrappingKeyFile);
    instance = await startAuthorizeInstance(world);
    organization = await seedOrganization(world.pool, {
      users: ['ada'],
      serviceAccounts: ['gateway', 'writer'],
      roles: { writer: ['document:*', 'authorization:evaluate'] },
      bindings: [
        { role: 'Developer', subject: 'gateway' },
        { role: 'writer', subject: 'writer' },
        { role: 'writer', subject: 'ada' },
      ],
    });
    gateway = await world.keys.issue(organization, 'gateway');
    writer = { type: 'service_account', id: organization.idOf('writer') };
    reading = await issueKey('document:read');
  });
  afterAll(async () => {
    await instance.close();
    await world[Symbol.asyncDispose]();
  });

  const issueKey = (...scopes: string[]) =>
    issueScopedKey(world, { organization, account: 'writer', scopes });

  async function ask(token: string, subject: { type: string; id: string }, action: string) {
    const body = {
      subject,
      action: { name: action },
      resource: { type: 'document', id: '42' },
      options: { reasons: true },
    };
    const { status, json } = await askAuthorize(instance.base, body, { token });
    const { code, rule, binding } = json.context ?? json;
    return { status, decision: json.decision, code, rule, binding };
  }

  const permitted = { status: 200, decision: true, code: 'permitted', rule: 'granted_by_binding' };
  const outside = {
    status: 200,
    decision: false,
    code: 'not_permitted',
    rule: 'outside_credential_scope',
  };

  it('answers about a key within its scopes, and about its account without', async () => {
    const key = { type: 'api_key', id: reading.key.id };
    expect(await ask(gateway.text, key, 'read')).toMatchObject(permitted);
    expect(await ask(gateway.text, key, 'write')).toMatchObject({
      ...outside,
      binding: organization.bindingIds[1],
    });
    expect(await ask(gateway.text, writer, 'write')).toMatchObject(permitted);
  });

  it('tells a scoped key what that key may do, not what its account may', async () => {
    expect(await ask(reading.text, writer, 'read')).toMatchObject(permitted);
    expect(await ask(reading.text, writer, 'write')).toMatchObject(outside);
    const whole = await world.keys.issue(organization, 'writer');
    expect(await ask(whole.text, writer, 'write')).toMatchObject(permitted);
    expect(await ask(reading.text, writer, 'write')).toMatchObject(outside);
  });

  it('keeps with the decision what the credential was issued for', async () => {
    await ask(reading.text, writer, 'write');
    expect(instance.records.at(-1)).toMatchObject({
      principal: { id: writer.id, scopes: ['document:read'] },
      decision: false,
      rule: 'outside_credential_scope',
    });
  });

  // Threat: a key for reading one thing that maps out what everybody else may do.
  it('lets a scoped key ask about others only when it was issued for asking', async () => {
    const other = { type: 'service_account', id: organization.idOf('gateway') };
    expect(await ask(reading.text, other, 'read')).toMatchObject({
      status: 403,
      code: 'authorization.not_permitted',
    });
    const asking = await issueKey('authorization:evaluate');
    expect(await ask(asking.text, other, 'read')).toMatchObject({ status: 200 });
    expect(await ask(reading.text, other, 'read')).toMatchObject({ status: 403 });
  });

  // Threat: a narrow key that is exchanged for a token as wide as its account.
  it('narrows a token to the scopes of its key, and further to those it states', async () => {
    const about = { account: writer.id, organizationId: organization.organizationId };
    const tokenOf = (key: IssuedApiKey, scope?: string) => {
      const claims = scope === undefined ? {} : { scope };
      return mintTestToken(signingKey, { ...about, apiKeyId: key.key.id }, { claims });
    };
    const answers = async (token: string) => [
      (await ask(token, writer, 'read')).decision,
      (await ask(token, writer, 'write')).decision,
    ];
    const whole = await world.keys.issue(organization, 'writer');
    const wide = await issueKey('document:*', 'invoice:read');
    expect(await answers(await tokenOf(reading))).toEqual([true, false]);
    expect(await answers(await tokenOf(reading, '*:*'))).toEqual([true, false]);
    expect(await answers(await tokenOf(wide, 'document:write invoice:*'))).toEqual([false, true]);
    expect(await answers(await tokenOf(wide, 'openid'))).toEqual([false, false]);
    expect(await answers(await tokenOf(whole))).toEqual([true, true]);
    expect(await answers(await tokenOf(whole, 'document:read'))).toEqual([true, false]);
  });

  it('gives a personal key what its scopes and the present rights of its person have in common', async () => {
    const { organizationId } = organization;
    const ada = { type: 'user', id: userId.require(organization.idOf('ada')) } as const;
    const { engine } = instance;
    const rights = policyOwnerRights({ facts: postgresSubjectFacts(world.pool), engine, clock: systemClock });
    const checked = await checkScopes(rights, { organizationId, owner: ada, scopes: ['document:read'] });
    invariant(checked.ok, 'scopes beyond their owner');
    const asked = { organizationId, actor: ada, scopes: checked.value, description: 'x' };
    const issued = await issuePersonalApiKey(world.keys.deps, { ...asked, environment: 'test' });
    invariant(issued.ok, 'no personal key');
    const { key, text } = issued.value;
    const askers = [
      (action: string) => ask(text, ada, action),
      (action: string) => ask(gateway.text, { type: 'api_key', id: key.id }, action),
    ];
    for (const about of askers) {
      expect(await about('read')).toMatchObject(permitted);
      expect(await about('write')).toMatchObject(outside);
    }
    await withOrg(world.pool, organizationId, (tx) =>
      tx.deleteFrom('role_binding').where('subject_id', '=', ada.id).execute(),
    );
    for (const about of askers) await waitUntil(async () => (await about('read')).rule === 'no_grant');
  });

  it('follows a change of the scopes of a key, for the key, its token and those who ask about it', async () => {
    const key = await issueKey('document:*');
    const token = await mintTestToken(signingKey, {
      account: writer.id,
      organizationId: organization.organizationId,
      apiKeyId: key.key.id,
    });
    const questions = [
      () => ask(key.text, writer, 'write'),
      () => ask(token, writer, 'write'),
      () => ask(gateway.text, { type: 'api_key', id: key.key.id }, 'write'),
    ];
    for (const question of questions) expect(await question()).toMatchObject(permitted);
    await setKeyScopes(world.pool, { organization, keyId: key.key.id, scopes: ['document:read'] });
    for (const question of questions) await waitUntil(async () => !(await question()).decision);
  });
});

describe('the admin function', () => {
  let admin: AdminService;
  beforeAll(async () => {
    admin = await startAdminService();
  });
  afterAll(() => admin.close());

  /** A tenant, and a key that its administrator asked for over HTTP. */
  async function seedScoped(...scopes: string[]) {
    const tenant = await admin.seedTenant();
    const accounts = `/v1/organizations/${tenant.organizationId}/service-accounts`;
    const account = `${accounts}/${tenant.idOf('admin')}`;
    const body = { description: 'narrow', scopes };
    const issued = await admin.request('post', `${account}/api-keys`, { key: tenant.key, body });
    expect(issued).toMatchObject({ status: 201, json: { scopes } });
    return { tenant, accounts, account, text: String(issued.json.text) };
  }

  it('refuses a scoped key what it was not issued for, and says that it is the credential', async () => {
    const { tenant, accounts, account, text } = await seedScoped('api_key:read', 'service_account:*');
    const create = { key: text, body: { name: 'made', displayName: 'Made' } };
    expect(await admin.request('get', accounts, { key: text })).toMatchObject({ status: 200 });
    expect(await admin.request('post', accounts, create)).toMatchObject({ status: 201 });
    const issue = { body: { description: 'x' } };
    const keys = `${account}/api-keys`;
    expect(await admin.request('post', keys, { ...issue, key: text })).toMatchObject({
      status: 403,
      json: {
        code: 'authorization.not_permitted',
        detail: 'The scopes of the credential do not include "api_key:issue"',
      },
    });
    expect(await admin.request('post', keys, { ...issue, key: tenant.key })).toMatchObject({ status: 201 });
  });

  // Threat: a narrow credential that makes itself a wider one.
  it.each([
    [undefined, 'This credential has scopes, so what it issues must have some'],
    [['document:read', 'document:write', '*:*'], 'This credential does not reach: document:write, *:*'],
  ])(
    'lets a scoped key hand on no more than its own scopes, by key or by trust rule',
    async (scopes, detail) => {
      const { account, text } = await seedScoped('api_key:issue', 'trust_rule:create', 'document:read');
      const refused = { status: 422, json: { code: 'scope.beyond_rights', detail } };
      const narrow = scopes === undefined ? {} : { scopes };
      const key = { description: 'x', ...narrow };
      expect(await admin.request('post', `${account}/api-keys`, { key: text, body: key })).toMatchObject(
        refused,
      );
      const rule = {
        name: 'wide',
        issuer: 'https://issuer.test',
        subjectPattern: 'workload-one',
        ...narrow,
      };
      expect(await admin.request('post', `${account}/trust-rules`, { key: text, body: rule })).toMatchObject(
        refused,
      );
    },
  );

  // Threat: what an administrator stopped because it reached too far, started again by something narrow.
  it('lets a scoped key revive no key and no trust rule that reaches further', async () => {
    const { tenant, account, text } = await seedScoped('api_key:*', 'trust_rule:*', 'document:read');
    const home = `/v1/organizations/${tenant.organizationId}`;
    const rule = { issuer: 'https://issuer.test', subjectPattern: 'workload-one' };
    const post = (path: string, key: string, body: object = {}) => admin.request('post', path, { key, body });
    const outcomes: unknown[] = [];
    const stopAndRevive = async (kind: string, { json: made }: Awaited<ReturnType<typeof post>>) => {
      expect((await post(`${home}/${kind}/${made.id}/disable`, tenant.key)).status).toBe(200);
      const { status, json } = await post(`${home}/${kind}/${made.id}/enable`, text);
      outcomes.push([kind, status, json.code ?? json.status]);
    };
    for (const scopes of [undefined, ['document:*'], ['document:read']]) {
      const narrow = scopes === undefined ? {} : { scopes };
      const key = { description: 'x', ...narrow };
      await stopAndRevive('api-keys', await post(`${account}/api-keys`, tenant.key, key));
      const named = { name: `r-${outcomes.length}`, ...rule, ...narrow };
      await stopAndRevive('trust-rules', await post(`${account}/trust-rules`, tenant.key, named));
    }
    expect(outcomes).toEqual([
      ['api-keys', 422, 'scope.beyond_rights'],
      ['trust-rules', 422, 'scope.beyond_rights'],
      ['api-keys', 422, 'scope.beyond_rights'],
      ['trust-rules', 422, 'scope.beyond_rights'],
      ['api-keys', 200, 'active'],
      ['trust-rules', 200, 'active'],
    ]);
  });
});
