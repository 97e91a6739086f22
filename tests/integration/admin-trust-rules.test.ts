import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thumbprintOf } from '../../shared/signing-key/index.ts';
import { type AdminService, digestDatabase, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let path: string;

beforeAll(async () => {
  // Thirty at once wait their turns, however slow the machine.
  admin = await startAdminService({ connectTimeoutMs: 60_000, statementTimeoutMs: 60_000 });
  tenant = await admin.seedTenant({
    serviceAccounts: ['ci'],
    roles: { reading: ['document:read'] },
    bindings: [{ role: 'reading', subject: 'ci' }],
  });
  path = `/v1/organizations/${tenant.organizationId}/service-accounts/${tenant.idOf('ci')}/trust-rules`;
});
afterAll(() => admin.close());

const github = {
  issuer: 'https://token.actions.githubusercontent.com',
  subjectPattern: 'repo:octo-org/octo-repo:ref:refs/heads/*',
  requiredClaims: [
    { pointer: '/repository_owner_id', value: '65' },
    { pointer: '/repository_id', value: '74' },
  ],
};

const post = (to: string, body?: unknown) =>
  admin.request('post', to, { key: tenant.key, ...(body === undefined ? {} : { body }) });
const create = (body: object) => post(path, body);
const rulePath = (id: string) => `/v1/organizations/${tenant.organizationId}/trust-rules/${id}`;

async function eventsOf(id: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
  const client = new Client({ connectionString: admin.database.superuserUrl });
  await client.connect();
  const { rows } = await client.query(
    'select type, leaf from audit_event where subject = $1 order by event_id',
    [id],
  );
  await client.end();
  return rows.map(({ type, leaf }) => ({ type, data: JSON.parse(leaf).data }));
}

describe('a trust rule', () => {
  // Threat: a key that is about to end makes a rule, by which its account is open for ever.
  it('is made and restarted by no credential that is bound to networks or ends', async () => {
    const rule = await create({ name: 'bound', ...github });
    await post(`${rulePath(rule.json.id)}/disable`);
    const keys = `/v1/organizations/${tenant.organizationId}/service-accounts/${tenant.idOf('admin')}/api-keys`;
    for (const bounds of [{ allowedNetworks: ['127.0.0.0/8'] }, { expiresAt: '2099-01-01T00:00:00Z' }]) {
      const { json } = await post(keys, { description: 'x', ...bounds });
      const ask = (to: string, body?: object) =>
        admin.request('post', to, { key: json.text, ...(body === undefined ? {} : { body }) });
      for (const refused of [
        await ask(path, { name: 'bound-2', ...github }),
        await ask(`${rulePath(rule.json.id)}/enable`),
      ])
        expect(refused).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
    }
    await post(`${rulePath(rule.json.id)}/remove`);
  });

  it('is made with careful defaults, read, listed, stopped, restarted and removed, each with its event', async () => {
    const created = await create({ name: 'deployments', ...github, scopes: ['document:read'] });
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({
      ...github,
      serviceAccountId: tenant.idOf('ci'),
      audience: 'https://token.test',
      tokenAgeSecondsMax: 600,
      tokenUse: 'once',
      scopes: ['document:read'],
      status: 'active',
      createdBy: tenant.idOf('admin'),
    });
    const { id } = created.json;
    expect(created.headers.get('location')).toBe(rulePath(id));
    const read = () => admin.request('get', rulePath(id), { key: tenant.key });
    expect((await read()).json).toEqual(created.json);
    const listed = await admin.request('get', path, { key: tenant.key });
    expect(listed.json.items).toEqual([created.json]);
    for (const [verb, status] of [
      ['disable', 'disabled'],
      ['disable', 'disabled'],
      ['enable', 'active'],
      ['enable', 'active'],
      ['remove', 'active'],
    ]) {
      const changed = await post(`${rulePath(id)}/${verb}`);
      expect([verb, changed.status, changed.json.status]).toEqual([verb, 200, status]);
    }
    expect((await read()).status).toBe(404);
    expect((await post(`${rulePath(id)}/remove`)).status).toBe(404);
    const events = await eventsOf(id);
    expect(events.map(({ type }) => type)).toEqual([
      'uos.trust-rule.created.v1',
      'uos.trust-rule.disabled.v1',
      'uos.trust-rule.enabled.v1',
      'uos.trust-rule.removed.v1',
    ]);
    expect(events[0]?.data).toEqual({
      actor: { type: 'service_account', id: tenant.idOf('admin') },
      name: 'deployments',
      serviceAccountId: tenant.idOf('ci'),
      audience: 'https://token.test',
      tokenAgeSecondsMax: 600,
      tokenUse: 'once',
      scopes: ['document:read'],
      hasOwnKeys: false,
      ...github,
    });
  });

  it('may bring the keys of an issuer that cannot be reached, reduced to what verifies', async () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      kid: 'one',
    };
    const created = await create({
      name: 'cluster',
      issuer: 'https://kubernetes.default.svc.cluster.local',
      subjectPattern: 'system:serviceaccount:ci:builder',
      requiredClaims: [{ pointer: '/kubernetes.io/serviceaccount/uid', value: 'b2a7' }],
      tokenUse: 'until_expiry',
      jwks: { keys: [{ ...jwk, x5c: ['AA'] }] },
    });
    expect([created.status, created.json.jwks]).toEqual([201, { keys: [jwk] }]);
    // Whom the rule lets in is said by the record alone, after the rule is gone.
    const [event] = await eventsOf(created.json.id);
    expect(event?.data).toMatchObject({
      hasOwnKeys: true,
      keyThumbprints: [thumbprintOf({ kty: 'EC', crv: jwk.crv, x: jwk.x, y: jwk.y })],
    });
  });

  it('is one of at most 20 of its account, and its name is taken once', async () => {
    const account = tenant.idOf('idler');
    const own = `/v1/organizations/${tenant.organizationId}/service-accounts/${account}/trust-rules`;
    expect((await post(own, { name: 'r-0', ...github })).status).toBe(201);
    expect((await post(own, { name: 'r-0', ...github })).json.code).toBe('resource.already_exists');
    for (let place = 1; place < 20; place++)
      expect((await post(own, { name: `r-${place}`, ...github })).status).toBe(201);
    expect((await post(own, { name: 'r-20', ...github })).json).toMatchObject({
      status: 409,
      code: 'resource.conflict',
      detail: 'A service account has at most 20 trust rules',
    });
  });

  it('is one of at most 20 also when thirty are made at once', async () => {
    const account = tenant.idOf('admin');
    const own = `/v1/organizations/${tenant.organizationId}/service-accounts/${account}/trust-rules`;
    const names = Array.from({ length: 30 }, (_, place) => `r-${place}`);
    const made = await Promise.all(names.map((name) => post(own, { name, ...github })));
    const counted = (status: number) => made.filter((answer) => answer.status === status).length;
    expect([counted(201), counted(409)]).toEqual([20, 10]);
  });

  it('has no scope that its account holds nowhere, as a key has none', async () => {
    const scopes = ['document:read', 'invoice:delete', 'invoice:*'];
    const refused = await create({ name: 'beyond', ...github, scopes });
    expect(refused).toMatchObject({
      status: 422,
      json: { code: 'scope.beyond_rights', scopes: ['invoice:delete'] },
    });
  });
});

// Threat: a rule that everybody's token matches. The reason names what would have to be narrower.
describe('a rule that could match everyone is refused with the reason:', () => {
  it.each<[string, object, string]>([
    [
      'a shared issuer whose owner is not pinned',
      { ...github, requiredClaims: [{ pointer: '/repository_owner', value: 'octo-org' }] },
      'body.requiredClaims must pin the owner by its immutable id, one of /repository_owner_id, /enterprise_id: GitHub Actions signs tokens for everybody',
    ],
    [
      'a shared issuer of people',
      { issuer: 'https://accounts.google.com', subjectPattern: '1234*' },
      'body.subjectPattern must be one exact subject: Google signs tokens for everybody',
    ],
    [
      'a subject of wildcards alone',
      { ...github, subjectPattern: '*' },
      'body.subjectPattern must begin with three characters that are no wildcard, name its kind and owner, as in repo:acme/* or system:serviceaccount:ci:*, and hold at most four wildcards',
    ],
    [
      'an issuer without TLS',
      { ...github, issuer: 'http://issuer.test' },
      'body.issuer must be an https URL in its normal form, without query or fragment',
    ],
  ])('%s', async (_what, rule, detail) => {
    const before = await digestDatabase(admin.database.superuserUrl);
    const refused = await create({ name: 'wide', ...rule });
    expect([refused.status, refused.json.code, refused.json.detail]).toEqual([
      400,
      'request.malformed',
      detail,
    ]);
    expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
  });

  it.each<[string, object]>([
    ['a private key', { jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' }] } }],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }],
    ['a key that is none', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] } }],
    ['a scope that is no permission', { scopes: ['admin'] }],
    ['no scope', { scopes: [] }],
    ['a token age of a week', { tokenAgeSecondsMax: 604_800 }],
    ['a member that is not known', { algorithms: ['none'] }],
  ])('%s', async (_what, rule) => {
    expect((await create({ name: 'wrong', ...github, ...rule })).status).toBe(400);
  });

  it('an account that is not there, or is deleted', async () => {
    const missing = path.replace(tenant.idOf('ci'), 'sa_01kaaaaaaaaaaaaaaaaaaaaaaa');
    expect((await post(missing, { name: 'x', ...github })).status).toBe(404);
    const account = `/v1/organizations/${tenant.organizationId}/service-accounts/${tenant.idOf('admin')}`;
    const other = await admin.request(
      'post',
      `${account.replace(tenant.idOf('admin'), tenant.idOf('ci'))}/delete`,
      {
        key: tenant.key,
      },
    );
    expect(other.status).toBe(200);
    expect((await create({ name: 'late', ...github })).status).toBe(404);
  });
});
