import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDecoy } from '../../functions/git-webhook/create-decoy.ts';
import { createHandler as createWebhookHandler } from '../../functions/git-webhook/handler.ts';
import { createHandler as createReconcileHandler } from '../../functions/reconcile/handler.ts';
import { signWebhook } from '../../shared/declarative/index.ts';
import { createFunctionServer, type FunctionOptions, type Served, serve } from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { canServeGit } from '../support/git-server.ts';
import { testLimits } from '../support/limits.ts';
import {
  createReconcileFixture,
  type ReconcileFixture,
  type TestSource,
  toOrganizationFiles,
} from './reconcile-fixture.ts';

const isServed = await canServeGit();
const unknownSource = 'src_00000000000000000000000000';
let fixture: ReconcileFixture;
let source: TestSource;
let webhook: Served;
let reconcile: Served;
let startWebhook: (limits: Pick<CallerLimits, 'failures'>) => Promise<Served>;

beforeAll(async () => {
  if (!isServed) return;
  fixture = await createReconcileFixture();
  const { deps, webhookSecrets } = fixture;
  const decoy = createDecoy(webhookSecrets, random);
  const base = { ...deps, logger: silentLogger };
  startWebhook = (limits) => {
    const listener = createWebhookHandler({ ...base, webhookSecrets, decoy, limits });
    return serveFunction(`git-webhook-${randomUUID()}`, listener, 1);
  };
  webhook = await startWebhook(testLimits());
  reconcile = await serveFunction('reconcile', createReconcileHandler(base));
  source = await fixture.registerSource('webhook');
});
afterAll(async () => {
  await webhook?.close();
  await reconcile?.close();
  await fixture?.close();
});
beforeEach(async () => {
  if (isServed) await fixture.query('delete from outbox');
});

async function serveFunction(
  name: string,
  listener: FunctionOptions['listener'],
  trustedHops = 0,
): Promise<Served> {
  const server = createFunctionServer(
    { clock, random, logger: silentLogger },
    { name, listener, trustedHops },
  );
  return serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
}

const push = (ref = 'refs/heads/main', after = 'a'.repeat(40)) =>
  JSON.stringify({ ref, after, repository: { full_name: 'acme/directory' }, pusher: { name: 'x' } });

type Delivery = {
  readonly to?: Served;
  readonly sourceId?: string;
  readonly body?: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
};

async function deliver(delivery: Delivery = {}) {
  const { to = webhook, sourceId = source.id, body = push(), secret, headers = {} } = delivery;
  const all = {
    'content-type': 'application/json',
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': signWebhook(secret ?? source.webhookSecret, Buffer.from(body)),
    ...headers,
  };
  const present = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  const response = await fetch(`http://127.0.0.1:${to.port}/webhooks/github/${sourceId}`, {
    method: 'POST',
    headers: Object.fromEntries(present),
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === '' ? undefined : JSON.parse(text),
  };
}

async function send(event: string | object) {
  const response = await fetch(`http://127.0.0.1:${reconcile.port}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: typeof event === 'string' ? event : JSON.stringify(event),
  });
  return { status: response.status, text: await response.text() };
}

const listOutbox = () =>
  fixture.query('select topic, org_id, payload from outbox order by sequence') as Promise<
    { topic: string; org_id: string; payload: string }[]
  >;

describe.skipIf(!isServed)('a signed push', () => {
  test('is acknowledged, recorded once and turned into organizations by the event it causes', async () => {
    const commit = await source.push(toOrganizationFiles('hooked'));
    const deliveryId = randomUUID();
    const body = push('refs/heads/main', commit);
    const answer = await deliver({ body, headers: { 'x-github-delivery': deliveryId } });
    expect(answer).toMatchObject({ status: 202, json: { deliveryId, status: 'accepted' } });
    const outbox = await listOutbox();
    expect(outbox.map(({ topic, org_id }) => [topic, org_id])).toEqual([
      ['audit.identity', platformOrganizationId],
      ['reconcile.requested', platformOrganizationId],
    ]);
    const payload = outbox[1]?.payload ?? '';
    expect(JSON.parse(payload)).toMatchObject({
      type: 'uos.git-source.push-received.v1',
      subject: source.id,
      data: { deliveryId, commit, ref: 'refs/heads/main' },
    });
    expect(await send(payload)).toEqual({ status: 204, text: '' });
    expect(await fixture.query(`select managed_by from organization where name = 'hooked'`)).toEqual([
      { managed_by: 'git' },
    ]);
  });

  // Threat: the signature covers no time, so a captured request stays valid for ever.
  test('has no second effect when it is replayed, not even at the same moment', async () => {
    const body = push();
    const headers = { 'x-github-delivery': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 5 }, () => deliver({ body, headers })));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(answers.map(({ json }) => json.status).toSorted()).toEqual([
      'accepted',
      ...Array(4).fill('duplicate'),
    ]);
    expect(await listOutbox()).toHaveLength(2);
  });

  test.each([
    ['a push to another branch', { body: push('refs/heads/feature') }],
    ['a push of a tag of the same name', { body: push('refs/tags/main') }],
    ['another event', { headers: { 'x-github-event': 'issues' } }],
    ['an event without a name', { headers: { 'x-github-event': undefined } }],
  ])('of no concern is acknowledged and ignored: %s', async (_what, delivery) => {
    expect(await deliver(delivery)).toMatchObject({ status: 202, json: { status: 'ignored' } });
    expect(await listOutbox()).toEqual([]);
  });

  test('that is only a ping is answered', async () => {
    expect(await deliver({ headers: { 'x-github-event': 'ping' } })).toMatchObject({ status: 204 });
    expect(await listOutbox()).toEqual([]);
  });

  test.each([
    ['is not JSON', { body: '{"ref":' }],
    ['is a form', { body: `payload=${encodeURIComponent(push())}` }],
    ['lacks the ref', { body: '{}' }],
    ['names no commit', { body: push('refs/heads/main', 'HEAD') }],
    ['has no delivery id', { headers: { 'x-github-delivery': undefined } }],
    ['has an overlong delivery id', { headers: { 'x-github-delivery': 'x'.repeat(129) } }],
  ])('but %s is malformed', async (_what, delivery) => {
    expect(await deliver(delivery)).toMatchObject({ status: 400, json: { code: 'request.malformed' } });
    expect(await listOutbox()).toEqual([]);
  });
});

describe.skipIf(!isServed)('who cannot sign', () => {
  const notSigned: readonly (readonly [string, () => Delivery])[] = [
    ['a wrong secret', () => ({ secret: 'guess' })],
    ['no signature', () => ({ headers: { 'x-hub-signature-256': undefined } })],
    ['a signature of no form', () => ({ headers: { 'x-hub-signature-256': 'sha256=' } })],
    [
      'a SHA-1 signature',
      () => ({ headers: { 'x-hub-signature-256': undefined, 'x-hub-signature': `sha1=${'0'.repeat(40)}` } }),
    ],
    [
      'the signature of another body',
      () => ({
        headers: { 'x-hub-signature-256': signWebhook(source.webhookSecret, Buffer.from(`${push()} `)) },
      }),
    ],
    ['an unknown source', () => ({ sourceId: unknownSource })],
    ['a source that is no id', () => ({ sourceId: 'x' })],
    ['an unknown source and no JSON', () => ({ sourceId: unknownSource, body: '{' })],
    [
      'an unknown source and a ping',
      () => ({ sourceId: unknownSource, headers: { 'x-github-event': 'ping' } }),
    ],
  ];

  test.each(notSigned)('learns nothing from the answer: %s', async (_what, delivery) => {
    const reference = await deliver({ secret: 'reference' });
    const answer = await deliver(delivery());
    expect(answer.status).toBe(401);
    const plain = ({ json, headers }: typeof answer) => ({
      body: { ...json, instance: undefined },
      headers: [...headers.keys()].toSorted(),
    });
    expect(plain(answer)).toEqual(plain(reference));
    expect(await listOutbox()).toEqual([]);
  });

  test('cannot send more than a mebibyte, whatever the signature', async () => {
    const body = push().replace('"x"', `"${'x'.repeat(1_048_576)}"`);
    expect(await deliver({ body })).toMatchObject({
      status: 413,
      json: { code: 'request.body_too_large' },
    });
  });

  test('cannot use the secret of another source', async () => {
    const other = await fixture.registerSource('other-webhook');
    expect(await deliver({ sourceId: other.id })).toMatchObject({ status: 401 });
  });
});

describe.skipIf(!isServed)('an address whose deliveries fail', () => {
  let limited: Served;
  const from = (address: string) => ({ 'x-forwarded-for': address, 'x-github-event': 'ping' });
  const statuses = async (count: number, delivery: Delivery) => {
    const answers: number[] = [];
    for (let n = 0; n < count; n++) answers.push((await deliver({ to: limited, ...delivery })).status);
    return answers;
  };
  beforeEach(async () => {
    // So slow that nothing comes back while a test runs.
    limited = await startWebhook(testLimits({ failures: { ratePerSecond: 0.001, burst: 3 } }));
  });
  afterEach(() => limited.close());

  test('is refused beyond its limit, before anything is looked up, and others are not', async () => {
    const headers = from('192.0.2.1');
    expect(await statuses(5, { sourceId: unknownSource, headers })).toEqual([401, 401, 401, 429, 429]);
    const refused = await deliver({ to: limited, headers });
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limit.exceeded' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await statuses(1, { headers: from('192.0.2.2') })).toEqual([204]);
  });

  test('is not one whose deliveries are signed', async () => {
    expect(await statuses(10, { headers: from('192.0.2.3') })).toEqual(Array(10).fill(204));
  });

  // Threat: whoever has the forge deliver to us what it cannot sign shuts out all that the forge delivers.
  test('does not shut out a source that has signed of late, which has a limit of its own', async () => {
    const headers = from('192.0.2.4');
    expect(await statuses(1, { headers })).toEqual([204]);
    expect(await statuses(4, { sourceId: unknownSource, headers })).toEqual([401, 401, 401, 429]);
    expect(await statuses(2, { headers })).toEqual([204, 204]);
    expect(await statuses(4, { secret: 'guess', headers })).toEqual([401, 401, 401, 429]);
  });
});

describe.skipIf(!isServed)('the reconcile function', () => {
  const event = (subject: unknown, type = 'uos.git-source.push-received.v1') => ({
    specversion: '1.0',
    id: randomUUID(),
    source: 'test',
    type,
    ...(subject === undefined ? {} : { subject }),
  });

  test.each([[unknownSource], ['nonsense'], [undefined]])(
    'dead-letters a push of %s, since no retry makes the source exist',
    async (subject) => expect((await send(event(subject))).status).toBe(400),
  );

  test('accepts a push of bad YAML: the refusal is on record and a retry would not help', async () => {
    const broken = await fixture.registerSource('broken');
    await broken.push({ 'organizations/broken/o.yaml': 'kind: [' });
    expect((await send(event(broken.id))).status).toBe(204);
  });

  test('asks for the event again while another run of the source is under way', async () => {
    const busy = await fixture.registerSource('busy');
    await fixture.query(
      `insert into lease (name, holder, fence, expires_at) values ($1, 'other', 1, now() + interval '1 hour')`,
      [`reconcile:${busy.id}`],
    );
    expect((await send(event(busy.id))).status).toBe(503);
    await fixture.query(`update lease set expires_at = now() where name = $1`, [`reconcile:${busy.id}`]);
    await busy.push(toOrganizationFiles('busy'));
    expect((await send(event(busy.id))).status).toBe(204);
  });

  test('finds by polling what no webhook told of, and what a run left unfinished', async () => {
    const untold = await fixture.registerSource('untold');
    await untold.push(toOrganizationFiles('untold'));
    const tick = event(undefined, 'dev.knative.sources.ping');
    expect((await send(tick)).status).toBe(204);
    const known = () => fixture.query(`select 1 from organization where name = 'untold'`);
    expect(await known()).toHaveLength(1);
    await fixture.query(
      `update git_source set conditions = '[{"type":"Reconciling","status":"True"}]' where source_id = $1`,
      [untold.id],
    );
    expect((await send(tick)).status).toBe(204);
    const [row] = await fixture.query(
      `select conditions @> '[{"type":"Ready","status":"True"}]' as ready from git_source where source_id = $1`,
      [untold.id],
    );
    expect(row).toEqual({ ready: true });
  });

  test('forgets deliveries that are too old to be replayed to any effect', async () => {
    await fixture.query(
      `insert into webhook_delivery values ($1, 'old', now() - interval '31 days'), ($1, 'young', now())`,
      [source.id],
    );
    await send(event(undefined, 'dev.knative.sources.ping'));
    expect(
      await fixture.query(`select delivery_id from webhook_delivery where delivery_id in ('old', 'young')`),
    ).toEqual([{ delivery_id: 'young' }]);
  });
});
