import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizeProcess } from '../support/authorize-process.ts';
import { openTestApiKeys, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';
import { createDecisionFixture, type DecisionFixture } from './decision-fixture.ts';

let fixture: DecisionFixture;
let keys: TestApiKeys;

beforeAll(async () => {
  fixture = await createDecisionFixture();
  keys = await openTestApiKeys(fixture.pool);
});
afterAll(async () => {
  await keys.dispose();
  await fixture.close();
});

const start = () =>
  startAuthorizeProcess({
    databaseUrl: fixture.database.appUrl,
    wrappingKeyFile: keys.wrappingKeyFile,
  });

/** A gateway that may ask, a reader and an owner, in an organization of that level. */
async function seed(level: 'all' | 'denials-and-privileged') {
  const organization = await seedOrganization(fixture.pool, {
    users: ['reader', 'owner'],
    serviceAccounts: ['gateway'],
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'reader', subject: 'reader' },
      { role: 'OrgOwner', subject: 'owner' },
    ],
  });
  await fixture.changeLog(organization.organizationId, { level });
  const { text } = await keys.issue(organization, 'gateway');
  const post = async (base: string, path: string, requestId: string, body: object) => {
    const response = await fetch(base + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${text}`,
        'content-type': 'application/json',
        'x-request-id': requestId,
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const subjectOf = (who: Asked) => ({
    type: 'user',
    id: who === 'stranger' ? 'usr_stranger' : organization.idOf(who),
  });
  const ask = (base: string, who: Asked, requestId: string) =>
    post(base, '/access/v1/evaluation', requestId, {
      subject: subjectOf(who),
      action: { name: 'read' },
      resource: { type: 'document', id: '1' },
      context: { authentication: { amr: ['mfa'], auth_time: Math.floor(Date.now() / 1000) } },
    });
  return { organizationId: organization.organizationId, ask, post, subjectOf };
}

type Asked = 'reader' | 'owner' | 'stranger';

/** Whatever is kept of an organization, by request id: in the journal, or in a segment its log names. */
async function keptOf(organizationId: Parameters<DecisionFixture['journaled']>[0]): Promise<string[]> {
  const young = (await fixture.journaled(organizationId)).map((line) => String(line['request_id']));
  return [...young, ...(await fixture.requestIdsOf(organizationId))].sort();
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(50_000);
  while (!(await holds())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('kill -9', () => {
  it('loses no decision that the journal has reached, and the tick puts every one into the log once', async () => {
    const { organizationId, ask } = await seed('all');
    const process = await start();
    let asked = 0;
    const askMany = async (count: number) => {
      const answered: string[] = [];
      while (answered.length < count) {
        const id = `ask-${asked++}`;
        const answer = await ask(process.base, 'reader', id);
        if (answer.status === 503) continue;
        expect(answer).toEqual({ status: 200, body: { decision: true } });
        answered.push(id);
      }
      return answered;
    };
    const mustStand = await askMany(400);
    await until(async () => (await keptOf(organizationId)).includes(mustStand.at(-1) ?? ''));
    await askMany(20);
    globalThis.process.kill(process.pid, 'SIGKILL');
    await process.stop();
    expect(await keptOf(organizationId)).toEqual(expect.arrayContaining(mustStand));
    await until(async () => {
      await fixture.seal();
      return (await fixture.journaled(organizationId)).length === 0;
    });
    const logged = await fixture.requestIdsOf(organizationId);
    expect(logged).toEqual(expect.arrayContaining(mustStand));
    expect(new Set(logged).size).toBe(logged.length);
    const named = (await fixture.segmentsOf(organizationId)).map(({ data }) => data.objectKey).sort();
    expect((await fixture.objects.list(`decisions/${organizationId}/`)).keys).toEqual(named);
  });

  it('in the moment a privileged answer has left loses nothing of it', async () => {
    const { organizationId, ask } = await seed('denials-and-privileged');
    const process = await start();
    expect(await ask(process.base, 'reader', 'ordinary')).toMatchObject({ body: { decision: true } });
    expect(await ask(process.base, 'owner', 'privileged')).toMatchObject({ body: { decision: true } });
    globalThis.process.kill(process.pid, 'SIGKILL');
    await process.stop();
    expect(await fixture.journaled(organizationId)).toMatchObject([
      { request_id: 'privileged', privileged: true, trace_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
    ]);
  });
});

describe('a batch', () => {
  it('is one record an item that was decided, by its place, with the request and the trace of all', async () => {
    const { organizationId, post, subjectOf } = await seed('all');
    const process = await start();
    const item = (id: string) => ({ resource: { type: 'document', id } });
    const { status } = await post(process.base, '/access/v1/evaluations', 'batch', {
      subject: subjectOf('reader'),
      action: { name: 'read' },
      evaluations: [item('1'), { resource: 'broken' }, item('3')],
    });
    expect(status).toBe(200);
    await process.stop();
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(organizationId);
    const trace_id = '4bf92f3577b34da6a3ce929d0e0e4736';
    expect(segment?.lines).toMatchObject([
      { request_id: 'batch', trace_id, item: 0, resource: { id: '1' }, decision: true },
      { request_id: 'batch', trace_id, item: 2, resource: { id: '3' }, decision: true },
    ]);
    expect(segment?.lines).toHaveLength(2);
  });
});

describe('a change of the level', () => {
  it('takes effect in every instance, without a restart', async () => {
    const { organizationId, ask } = await seed('denials-and-privileged');
    const [a, b] = await Promise.all([start(), start()]);
    try {
      for (const [name, { base }] of Object.entries({ a, b })) {
        await ask(base, 'reader', 'before');
        await ask(base, 'stranger', `refused-${name}`);
        await until(async () => (await keptOf(organizationId)).includes(`refused-${name}`));
      }
      await fixture.changeLog(organizationId, { level: 'all' });
      for (const [name, { base }] of Object.entries({ a, b })) {
        await until(async () => {
          await ask(base, 'reader', `after-${name}`);
          return (await keptOf(organizationId)).includes(`after-${name}`);
        });
      }
      expect(await keptOf(organizationId)).not.toContain('before');
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
  });
});
