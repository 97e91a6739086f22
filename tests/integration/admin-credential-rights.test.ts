import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';
import { mintTestToken, publishTestSigningKey, type TestSigningKey } from '../support/test-token.ts';

/** Who may make or revive what opens a service account: a key, or a trust rule. */
let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let signingKey: TestSigningKey;
let home: string;
let count = 0;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await admin.seedTenant({
    serviceAccounts: ['ci', 'strong', 'gateway', 'lead', 'developer', 'deputy', 'robot'],
    teams: { core: {}, web: {}, 'core-data': { parent: 'core' } },
    roles: { deputy: ['service_account:act_as'], maker: ['trust_rule:*', 'api_key:*'] },
    bindings: [
      { role: 'OrgAdmin', subject: 'strong' },
      { role: 'OrgAdmin', subject: 'lead', at: { team: 'core' } },
      { role: 'Developer', subject: 'developer' },
      { role: 'maker', subject: 'deputy' },
      { role: 'deputy', subject: 'deputy' },
      { role: 'deputy', subject: 'developer', at: { team: 'core' } },
      { role: 'maker', subject: 'robot' },
    ],
  });
  home = `/v1/organizations/${tenant.organizationId}`;
  signingKey = await publishTestSigningKey(admin.pool, admin.deps.rings.signingKeys);
});
afterAll(() => admin.close());

const post = (path: string, key: string, body: unknown = {}) => admin.request('post', path, { key, body });
const textOf = async (account: string) => (await admin.apiKeys.issue(tenant, account)).text;
const accountPath = (account: string) => `${home}/service-accounts/${tenant.idOf(account)}`;
const issueFor = (account: string, key: string, body: object = {}) =>
  post(`${accountPath(account)}/api-keys`, key, { description: 'x', ...body });
const newRule = (scopes?: readonly string[]) => ({
  name: `rule-${count++}`,
  issuer: 'https://issuer.test',
  subjectPattern: 'workload-one',
  ...(scopes === undefined ? {} : { scopes }),
});

async function own(account: string, team: string | null): Promise<void> {
  const body = { ownerTeamId: team === null ? null : tenant.idOf(team) };
  expect((await post(`${accountPath(account)}/update`, tenant.key, body)).status).toBe(200);
}

/** A key and a disabled rule of an account, and all that would hand out or revive what opens it. */
async function waysInto(account: string) {
  const { json: key } = await issueFor(account, tenant.key);
  const { json: rule } = await post(`${accountPath(account)}/trust-rules`, tenant.key, newRule());
  await post(`${home}/trust-rules/${rule.id}/disable`, tenant.key);
  return {
    issue: (caller: string) => issueFor(account, caller),
    rotate: (caller: string) => post(`${home}/api-keys/${key.id}/rotate`, caller),
    createRule: (caller: string) => post(`${accountPath(account)}/trust-rules`, caller, newRule()),
    enableRule: (caller: string) => post(`${home}/trust-rules/${rule.id}/enable`, caller),
  };
}

const made = { issue: 201, rotate: 201, createRule: 201, enableRule: 200 } as const;
const ways = Object.keys(made) as (keyof typeof made)[];

// Threat: a right to make keys that makes a key of somebody who may do more.
describe('what opens an account', () => {
  const lacking = {
    status: 403,
    json: { detail: 'The caller lacks the permission "service_account:act_as"' },
  };

  it.each(ways)('is given to whoever may act as the account: %s', async (way) => {
    const caller = await textOf('deputy');
    expect(await (await waysInto('strong'))[way](caller)).toMatchObject({ status: made[way] });
  });

  it.each(ways)('is given to the account itself, which needs no such permission: %s', async (way) => {
    const caller = await textOf('robot');
    expect(await (await waysInto('robot'))[way](caller)).toMatchObject({ status: made[way] });
  });

  it.each(ways)('is refused to whoever may make credentials and no more: %s', async (way) => {
    const caller = await textOf('robot');
    expect(await (await waysInto('strong'))[way](caller)).toMatchObject(lacking);
  });

  it('is given to a developer who may act as accounts of its team, or as that very account', async () => {
    const developer = await textOf('developer');
    const deputy = (scope: { scope_type: 'team' | 'resource'; scope_id: string }) =>
      withOrg(admin.pool, tenant.organizationId, (tx) =>
        tx
          .updateTable('role_binding')
          .set(scope)
          .where('role_name', '=', 'deputy')
          .where('subject_id', '=', tenant.idOf('developer'))
          .execute(),
      );
    await own('ci', 'web');
    expect(await issueFor('ci', developer)).toMatchObject(lacking);
    await own('ci', 'core');
    expect(await issueFor('ci', developer)).toMatchObject({ status: 201 });
    await deputy({ scope_type: 'resource', scope_id: `service_account:${tenant.idOf('strong')}` });
    expect(await issueFor('ci', developer)).toMatchObject(lacking);
    expect(await issueFor('strong', developer)).toMatchObject({ status: 201 });
  });

  it('is refused to a credential whose scopes do not name acting as another', async () => {
    const { json: narrow } = await issueFor('strong', tenant.key, { scopes: ['api_key:*'] });
    const asked = await issueFor('ci', narrow.text, { scopes: ['api_key:*'] });
    expect(asked).toMatchObject({
      status: 403,
      json: { detail: 'The scopes of the credential do not include "service_account:act_as"' },
    });
  });
});

// Threat: a token for five minutes that makes itself a key for ever, which does not say who acts.
describe('a delegated token', () => {
  async function delegated() {
    const [subject, actor] = [
      await admin.apiKeys.issue(tenant, 'strong'),
      await admin.apiKeys.issue(tenant, 'gateway'),
    ];
    const about = {
      account: tenant.idOf('strong'),
      organizationId: tenant.organizationId,
      apiKeyId: subject.key.id,
    };
    const claims = {
      iss: admin.deps.issuer,
      aud: admin.deps.audience,
      client_id: tenant.idOf('gateway'),
      act: { sub: tenant.idOf('gateway'), api_key_id: actor.key.id },
    };
    return mintTestToken(signingKey, about, { claims });
  }

  it('does what its account may, in the name of both', async () => {
    const token = await delegated();
    const created = await post(`${home}/service-accounts`, token, { name: 'made', displayName: 'Made' });
    expect(created.status).toBe(201);
    const events = await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx.selectFrom('audit_event').select('leaf').where('subject', '=', created.json.id).execute(),
    );
    expect(JSON.parse(events[0]?.leaf ?? '').data.actor).toEqual({
      type: 'service_account',
      id: tenant.idOf('strong'),
      actedBy: [tenant.idOf('gateway')],
    });
  });

  it.each(ways)('makes and revives no credential, not even of its own account: %s', async (way) => {
    const token = await delegated();
    for (const account of ['strong', 'ci'])
      expect(await (await waysInto(account))[way](token)).toMatchObject({
        status: 403,
        json: {
          code: 'authorization.not_permitted',
          detail: expect.stringMatching(/^A delegated token cannot make or revive a credential/),
        },
      });
  });

  it('revives no disabled key', async () => {
    const { json } = await issueFor('ci', tenant.key);
    await post(`${home}/api-keys/${json.id}/disable`, tenant.key);
    expect((await post(`${home}/api-keys/${json.id}/enable`, await delegated())).status).toBe(403);
  });
});

describe('a right that is held for a team', () => {
  it.each([
    ['the team', 'core', 'done'],
    ['a team below it', 'core-data', 'done'],
    ['another team', 'web', 'refused'],
    ['no team', null, 'refused'],
  ])(
    'reaches the accounts that %s owns, with their keys and rules, as it should: %s is %s',
    async (_what, team, is) => {
      const lead = await textOf('lead');
      const account = accountPath('ci');
      await own('ci', team);
      const { json: key } = await issueFor('ci', tenant.key);
      const { json: rule } = await post(`${account}/trust-rules`, tenant.key, newRule());
      const get = (path: string) => admin.request('get', path, { key: lead });
      const answers = [
        await get(account),
        await get(`${account}/trust-rules`),
        await get(`${home}/trust-rules/${rule.id}`),
        await issueFor('ci', lead),
        await post(`${home}/api-keys/${key.id}/rotate`, lead),
        await post(`${home}/api-keys/${key.id}/disable`, lead),
        await post(`${home}/api-keys/${key.id}/enable`, lead),
        await post(`${home}/api-keys/${key.id}/revoke`, lead),
        await post(`${account}/trust-rules`, lead, newRule()),
        await post(`${home}/trust-rules/${rule.id}/disable`, lead),
        await post(`${home}/trust-rules/${rule.id}/enable`, lead),
        await post(`${account}/disable`, lead),
        await post(`${account}/enable`, lead),
      ];
      const done = [200, 200, 200, 201, 201, 200, 200, 200, 201, 200, 200, 200, 200];
      expect(answers.map(({ status }) => status)).toEqual(is === 'done' ? done : done.map(() => 403));
    },
  );

  it('does not tell another team’s account from one that is not there', async () => {
    await own('ci', 'web');
    const lead = await textOf('lead');
    const answers = await Promise.all(
      [accountPath('ci'), accountPath('ci').replace(tenant.idOf('ci'), 'sa_01kaaaaaaaaaaaaaaaaaaaaaaa')].map(
        (path) => admin.request('get', path, { key: lead }),
      ),
    );
    expect(answers.map(({ status, json }) => [status, json.code, json.detail])).toEqual([
      [403, 'authorization.not_permitted', 'The caller lacks the permission "service_account:read"'],
      [403, 'authorization.not_permitted', 'The caller lacks the permission "service_account:read"'],
    ]);
  });

  it('reaches lists, new accounts and revocations as far as they are about what the team owns', async () => {
    const lead = await textOf('lead');
    const get = (path: string) => admin.request('get', `${home}/${path}`, { key: lead });
    const create = (ownerTeamId?: string) =>
      post(`${home}/service-accounts`, lead, { name: `made-${count++}`, displayName: 'Made', ownerTeamId });
    const revoke = (body: object) => post(`${home}/api-keys/revoke`, lead, body);
    await own('ci', 'core');
    const [core, web] = [tenant.idOf('core'), tenant.idOf('web')];
    const [ci, other] = [tenant.idOf('ci'), tenant.idOf('strong')];
    const { json: key } = await issueFor('ci', tenant.key);
    expect((await get(`service-accounts?ownerTeam=${core}`)).json.items).toMatchObject([{ id: ci }]);
    expect((await get(`api-keys?serviceAccount=${ci}&limit=1`)).json.items).toMatchObject([{ id: key.id }]);
    expect(await create(core)).toMatchObject({ status: 201, json: { ownerTeamId: core } });
    expect(await revoke({ serviceAccountId: ci })).toMatchObject({ status: 200 });
    const refused = [
      await get('service-accounts'),
      await get(`service-accounts?ownerTeam=${web}`),
      await get('api-keys'),
      await get(`api-keys?serviceAccount=${other}`),
      await create(),
      await create(web),
      await revoke({ createdBefore: '2099-01-01T00:00:00Z' }),
      await revoke({ serviceAccountId: other }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
  });
});
