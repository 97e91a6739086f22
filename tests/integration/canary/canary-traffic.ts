import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { postgresApiKeyStore } from '../../../shared/api-key/api-key-store.postgres.ts';
import { type CheckedScopes, issuePersonalApiKey, type UserId } from '../../../shared/api-key/index.ts';
import { postgresEventRecorder } from '../../../shared/events/event-recorder.postgres.ts';
import { systemClock, systemRandom } from '../../../shared/kernel/index.ts';
import { organizationId } from '../../../shared/organization/index.ts';
import { type HttpSink, startHttpSink } from '../../support/http-sink.ts';
import { toDocument } from '../reconcile-fixture.ts';
import { withRings } from './canary-kinds.ts';
import { withFunction } from './canary-process.ts';
import { type CanaryScene, canary, type Reply } from './canary-scene.ts';

/** What the story of one scene learns on its way. */
type Story = {
  readonly source: { id: string; secret: string };
  readonly home: string;
  readonly serviceAccount: string;
  readonly ada: string;
  readonly key: { id: string; text: string };
  trustRule: string;
};

const folder = 'organizations/canary';
const idempotent = () => ({ 'idempotency-key': randomUUID() });

/** What the functions are for, done as they should be done. */
export async function succeed(scene: CanaryScene): Promise<Story> {
  const registered = await scene.admin('/git-sources', {
    method: 'POST',
    body: { url: scene.forge.repositoryUrl, ref: 'main' },
    headers: idempotent(),
    isShown: true,
  });
  const source = { id: String(registered.json['id']), secret: String(registered.json['webhookSecret']) };
  scene.shown.webhookSecrets.push(source.secret);
  await push(scene, source, declare(scene, ['ada', 'grace']));
  const home = '/organizations/canary';
  const serviceAccount = await idOf(scene, `${home}/service-accounts`, 'ci');
  const ada = await idOf(scene, `${home}/members`, 'ada');
  const key = await issueKey(scene, `${home}/service-accounts/${serviceAccount}/api-keys`);
  const story: Story = { source, home, serviceAccount, ada, key, trustRule: '' };
  await mint(scene, serviceAccount, key.text);
  await rotateKey(scene, story);
  await usePersonalKey(scene, story);
  story.trustRule = await exchangeForeignToken(scene, story);
  await decide(scene, story, scene.shown.tokens[0] ?? '');
  await scene.admin(`${home}/audit/events?personalData=sealed`);
  return story;
}

function declare({ ada }: CanaryScene, people: readonly string[]): Record<string, string> {
  const grace = { email: 'grace@canary.example', displayName: 'Grace' };
  return {
    [`${folder}/organization.yaml`]: toDocument('Organization', 'canary', { displayName: 'Canary' }),
    [`${folder}/people.yaml`]: people
      .map((name) => toDocument('User', name, name === 'ada' ? ada : grace))
      .join(''),
    [`${folder}/machines.yaml`]: toDocument('ServiceAccount', 'ci', { displayName: 'CI' }),
    [`${folder}/bindings.yaml`]: [
      toDocument('RoleBinding', 'ci', { role: 'OrgAdmin', subject: 'service-account/ci' }),
      toDocument('RoleBinding', 'owner', { role: 'OrgOwner', subject: 'user/grace' }),
    ].join(''),
  };
}

async function push(
  scene: CanaryScene,
  { id, secret }: Story['source'],
  files: Readonly<Record<string, string | null>>,
): Promise<void> {
  const webhookUrl = `${scene.platform.urlOf('git-webhook')}/webhooks/github/${id}`;
  const commit = await scene.forge.push({ files, message: 'Declare', webhookUrl, secret });
  await eventually('the commit is looked at', async () => {
    const { json } = await scene.admin(`/git-sources/${id}`);
    const conditions = json['conditions'] as { type: string; status: string; commit?: string }[];
    return conditions.some(
      (one) => one.type === 'Reconciling' && one.status === 'False' && json['observedCommit'] === commit,
    );
  });
}

async function idOf(scene: CanaryScene, path: string, name: string): Promise<string> {
  // A list of members shows persons, as it should.
  const { json } = await scene.admin(path, { isShown: true });
  const found = (json['items'] as { id: string; name: string }[]).find((item) => item.name === name);
  if (found === undefined) throw new Error(`${path} has no "${name}": ${JSON.stringify(json)}`);
  return found.id;
}

export async function issueKey(scene: CanaryScene, path: string): Promise<{ id: string; text: string }> {
  const issue = { method: 'POST', body: { description: 'canary' }, headers: idempotent(), isShown: true };
  const { json, text } = await scene.admin(path, issue);
  const key = { id: String(json['id']), text: String(json['text']) };
  scene.shown.apiKeys.push(key.text);
  // Asked again, the recorded answer is shown.
  if ((await scene.admin(path, issue)).text !== text) throw new Error('the answer was not recorded');
  return key;
}

async function rotateKey(scene: CanaryScene, { home, key }: Story): Promise<void> {
  const { json, status } = await scene.admin(`${home}/api-keys/${key.id}/rotate`, {
    method: 'POST',
    isShown: true,
    body: {},
  });
  if (status !== 201) throw new Error(`not rotated: ${status}`);
  scene.shown.apiKeys.push(String(json['text']));
}

/** No function signs persons in yet who could ask for one: it is issued by the use case, and used for real. */
async function usePersonalKey(scene: CanaryScene, story: Story): Promise<void> {
  const grace = await idOf(scene, `${story.home}/members`, 'grace');
  const { json } = await scene.admin(story.home);
  const issued = await withRings(scene, async ({ pool, open }) =>
    issuePersonalApiKey(
      {
        pool,
        clock: systemClock,
        random: systemRandom,
        store: postgresApiKeyStore(pool),
        events: postgresEventRecorder({ clock: systemClock, random: systemRandom, source: 'uos/test' }),
        pepper: await open('api-key-pepper'),
      },
      {
        organizationId: organizationId.require(String(json['id'])),
        description: 'canary',
        environment: 'live',
        actor: { type: 'user', id: grace as UserId },
        scopes: ['report:read'] as unknown as CheckedScopes,
      },
    ),
  );
  if (!issued.ok) throw new Error(issued.failure.code);
  scene.shown.apiKeys.push(issued.value.text);
  await decide(scene, story, issued.value.text);
  await scene.admin(story.home, { authorization: `Bearer ${issued.value.text}` });
}

const form = (fields: Readonly<Record<string, string>>) => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams(fields).toString(),
});

async function mint(scene: CanaryScene, client: string, secret: string): Promise<void> {
  for (const call of [
    { ...form({ grant_type: 'client_credentials' }), authorization: basic(client, secret) },
    form({ grant_type: 'client_credentials', client_id: client, client_secret: secret }),
  ]) {
    const { json } = await scene.call('token', '/token', { ...call, isShown: true });
    if (typeof json['access_token'] === 'string') scene.shown.tokens.push(json['access_token']);
  }
  if (scene.shown.tokens.length === 0) throw new Error('no token was minted');
}

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Twice: the second time it has been used. */
async function exchangeForeignToken(scene: CanaryScene, { home, serviceAccount }: Story): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'https://ci.canary.example';
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
  const rule = await scene.admin(`${home}/service-accounts/${serviceAccount}/trust-rules`, {
    method: 'POST',
    body: { name: 'canary', issuer, subjectPattern: 'build:canary', jwks: { keys: [jwk] } },
  });
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg: 'ES256', kid: 'k', typ: 'JWT' });
  const claims = {
    iss: issuer,
    aud: scene.platform.urlOf('token'),
    sub: 'build:canary',
    jti: canary(),
    iat: now,
    exp: now + 300,
  };
  const signed = `${head}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const token = `${signed}.${signature.toString('base64url')}`;
  scene.foreignTokens.push(token);
  const exchange = form(exchangeOf(token, String(rule.json['id'])));
  const first = await scene.call('token', '/token', { ...exchange, isShown: true });
  if (first.status !== 200) throw new Error(`the foreign token bought nothing: ${first.text}`);
  scene.shown.tokens.push(String(first.json['access_token']));
  const second = await scene.call('token', '/token', exchange);
  if (second.status === 200) throw new Error('the foreign token was accepted twice');
  return String(rule.json['id']);
}

const exchangeOf = (token: string, clientId: string) => ({
  client_id: clientId,
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  subject_token: token,
});

async function decide(scene: CanaryScene, { ada }: Pick<Story, 'ada'>, bearer: string): Promise<Reply> {
  return scene.call('authorize', '/access/v1/evaluation', {
    method: 'POST',
    authorization: `Bearer ${bearer}`,
    body: {
      subject: { type: 'user', id: ada },
      action: { name: 'read' },
      resource: { type: 'report', id: 'q3' },
    },
  });
}

/** Everything that callers do wrong, with secrets in their hands. */
export async function failByCaller(scene: CanaryScene, story: Story): Promise<void> {
  const { home, serviceAccount, key, source } = story;
  const present = () => {
    const value = canary();
    scene.presented.push(value);
    return value;
  };
  const like = `uos_sa_live_${key.id.slice(4)}_${present()}`;
  for (const authorization of [
    `Bearer ${present()}`,
    `Bearer ${like}`,
    basic('x', present()),
    present(),
    `Bearer ${scene.shown.tokens[0]}x`,
  ]) {
    await scene.admin(home, { authorization });
    await scene.call('authorize', '/access/v1/evaluation', { method: 'POST', authorization, body: {} });
    await scene.call('token', '/token', { ...form({ grant_type: 'client_credentials' }), authorization });
  }
  // A real credential where it is of no use: at another tenant, in a broken body, in an oversized one, in an address.
  const authorization = `Bearer ${key.text}`;
  await scene.admin('/organizations/platform/service-accounts', { authorization });
  await scene.admin('/organizations', { authorization, method: 'POST', body: `{"name": "${key.text}"` });
  await scene.admin('/organizations', {
    authorization,
    method: 'POST',
    body: { [present()]: 1 },
    isShown: true,
  });
  await scene.admin('/organizations', {
    authorization,
    method: 'POST',
    body: key.text + ' '.repeat(100_000),
  });
  await scene.admin(`${home}/members?access_token=${key.text}&page=${key.text}`, { authorization });
  await scene.call('token', `/nothing?client_secret=${key.text}`);
  await decide(scene, story, present());
  for (const fields of [
    { grant_type: 'client_credentials', client_id: serviceAccount, client_secret: like },
    { grant_type: 'client_credentials', client_id: present(), client_secret: present() },
    {
      grant_type: 'client_credentials',
      client_id: serviceAccount,
      client_secret: key.text,
      scope: 'nonsense',
      resource: 'x',
    },
    { grant_type: 'password', username: 'ada', password: present() },
    exchangeOf(present(), serviceAccount),
    exchangeOf(`${scene.foreignTokens[0]}x`, story.trustRule),
    exchangeOf(present(), story.trustRule),
  ])
    await scene.call('token', '/token', form(fields as Record<string, string>));
  const hook = `/webhooks/github/${source.id}`;
  for (const signature of [`sha256=${present()}`, present()])
    await scene.call('git-webhook', hook, {
      method: 'POST',
      body: { ref: source.secret },
      headers: { 'x-hub-signature-256': signature, 'x-github-event': 'push' },
    });
  await scene.call('token', '/leak-reports', { method: 'POST', body: { keys: [like, present()] } });
  await push(scene, source, {
    [`${folder}/leak.yaml`]: toDocument('User', 'eve', {
      email: 'eve@canary.example',
      displayName: key.text,
    }),
  });
  await push(scene, source, {
    [`${folder}/leak.yaml`]: toDocument('User', 'eve', { email: scene.ada.email, displayName: 'Eve' }),
  });
  await push(scene, source, { [`${folder}/leak.yaml`]: null });
}

/** The database fails under them: tables that are away, and rows that it refuses with all it has to say about them. */
export async function failByDatabase(scene: CanaryScene, story: Story): Promise<void> {
  const { database, shown } = scene;
  const authorization = `Bearer ${story.key.text}`;
  const faults: [string, string][] = [
    ['alter table api_key rename to api_key_away', 'alter table api_key_away rename to api_key'],
    ['alter table membership rename to membership_away', 'alter table membership_away rename to membership'],
    [
      'alter table api_key add constraint broken check (false) not valid',
      'alter table api_key drop constraint broken',
    ],
    [
      'alter table audit_event add constraint broken check (false) not valid',
      'alter table audit_event drop constraint broken',
    ],
    [
      'alter table idempotency_record add constraint broken check (false) not valid',
      'alter table idempotency_record drop constraint broken',
    ],
    ['revoke select on service_account from uos_app', 'grant select on service_account to uos_app'],
  ];
  let failures = 0;
  for (const [fault, repair] of faults) {
    await database.query(fault);
    const replies = [
      await scene.admin(story.home, { authorization }),
      await scene.admin(`${story.home}/service-accounts/${story.serviceAccount}/api-keys`, {
        method: 'POST',
        body: { description: 'x' },
        headers: idempotent(),
      }),
      await decide(scene, story, shown.tokens[0] ?? ''),
      await decide(scene, story, story.key.text),
      await scene.call(
        'token',
        '/token',
        form({
          grant_type: 'client_credentials',
          client_id: story.serviceAccount,
          client_secret: story.key.text,
        }),
      ),
    ];
    await database.query(repair);
    failures += replies.filter(({ status }) => status >= 500).length;
  }
  if (failures < faults.length) throw new Error(`only ${failures} requests met a fault`);
}

/** A process of admin whose Redis, transit engine or object store answers 500, and says back what it was sent. */
export async function failByNeighbour(scene: CanaryScene, story: Story): Promise<void> {
  const [transit, redis, objects] = await Promise.all([0, 1, 2].map(() => startBrokenNeighbour(scene)));
  const { id } = await exportAll(scene, story.home);
  const path = `/v1${story.home}/audit/exports/${id}`;
  await startWithTransit(scene, transit?.url ?? '');
  const env = {
    REDIS_URL: redis?.url,
    REDIS_TOKEN: scene.outside.redis,
    OBJECT_STORE_URL: `s3://bucket?endpoint=${encodeURIComponent(objects?.url ?? '')}&region=x`,
    OBJECT_STORE_ACCESS_KEY_ID: 'canary',
    OBJECT_STORE_SECRET_ACCESS_KEY: scene.outside.objectStore,
  };
  const outcome = await withFunction(scene, { service: 'admin', env }, async (url) => {
    const headers = { authorization: `Bearer ${scene.platform.operatorKey}` };
    for (const asked of [path, `${path}/files/MANIFEST.json`]) {
      const response = await fetch(url + asked, { headers });
      const bytes = Buffer.from(JSON.stringify([...response.headers]) + (await response.text()));
      scene.answers.push({ where: `${asked} (${response.status})`, bytes });
    }
  });
  if (outcome !== 'used') throw new Error('admin did not start beside broken neighbours');
  for (const [name, neighbour] of Object.entries({ transit, redis, objects }))
    if (neighbour?.requests.length === 0) throw new Error(`${name} was not asked for anything`);
}

async function startBrokenNeighbour(scene: CanaryScene): Promise<HttpSink> {
  const neighbour = await startHttpSink({ status: 500, saysBack: true });
  scene.onClose(() => neighbour.close());
  return neighbour;
}

/** A purpose without a key: its first is wrapped at the start by the engine, without which the function ends. */
async function startWithTransit(scene: CanaryScene, url: string): Promise<void> {
  const tokenFile = join(scene.directory, 'transit-token');
  await writeFile(tokenFile, scene.outside.transit, { mode: 0o600 });
  const rename = (from: string, to: string) =>
    scene.database.query('update data_key set purpose = $2 where purpose = $1', [from, to]);
  await rename('search-page', 'away');
  await rename('idempotency', 'search-page');
  const env = { KEY_WRAPPER_URL: `${url}/transit/uos?token-file=${tokenFile}` };
  const outcome = await withFunction(scene, { service: 'admin', env }, async () => undefined);
  await rename('search-page', 'idempotency');
  await rename('away', 'search-page');
  if (outcome !== 'ended') throw new Error('admin started without its transit engine');
}

/** What ends secrets, and what takes the record out of the house. */
export async function finish(scene: CanaryScene, story: Story): Promise<void> {
  const { home, key, source, ada } = story;
  await scene.admin('/signing-keys/rotate', { method: 'POST' });
  await push(scene, source, declare(scene, ['grace']));
  const erased = await scene.call('admin', `/v1${home}/users/${ada}/erase`, {
    method: 'POST',
    authorization: `Bearer ${await securityKey(scene, story)}`,
  });
  if (erased.status !== 200) throw new Error(`not erased: ${erased.text}`);
  await scene.call('token', '/leak-reports', { method: 'POST', body: { keys: [key.text] } });
  await scene.admin(`${home}/api-keys/${key.id}/revoke`, { method: 'POST', body: { reason: 'canary' } });
  await scene.admin(`${home}/audit/events`);
  await exportAll(scene, home);
}

/** Erasing is for the organization's own: an automation of its security people. */
async function securityKey(scene: CanaryScene, { home, source }: Story): Promise<string> {
  await push(scene, source, {
    [`${folder}/security.yaml`]:
      toDocument('ServiceAccount', 'security', { displayName: 'Security' }) +
      toDocument('RoleBinding', 'security', { role: 'Security', subject: 'service-account/security' }),
  });
  const id = await idOf(scene, `${home}/service-accounts`, 'security');
  return (await issueKey(scene, `${home}/service-accounts/${id}/api-keys`)).text;
}

async function exportAll(scene: CanaryScene, home: string): Promise<{ id: string }> {
  const now = Date.now();
  const body = { from: new Date(now - 3_600_000).toISOString(), to: new Date(now).toISOString() };
  await eventually('the log has caught up', async () => {
    const { rows } = await scene.database.query('select 1 from outbox');
    return rows.length === 0;
  });
  const requested = await scene.admin(`${home}/audit/exports`, { method: 'POST', body });
  await eventually('the export is ready', async () => {
    const { json } = await scene.admin(`${home}/audit/exports/${requested.json['id']}`);
    return json['status'] === 'ready';
  });
  return { id: String(requested.json['id']) };
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`In a minute it did not come about that ${what}`);
    await pause(50);
  }
}
