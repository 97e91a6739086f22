import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { ask } from '../conformance/authzen/decision-point.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  type Scene,
  setScene,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let scene: Scene;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  scene = await setScene(world);
});

const document = (id: string) => ({ resource: { type: 'document', id } });
const read = { action: { name: 'read' } };
const reasons = { options: { reasons: true } };

function evaluations(body: object, options: { token?: string; requestId?: string } = {}) {
  const headers = { 'x-request-id': options.requestId ?? 'batch-1' };
  const token = options.token ?? scene.gateway.text;
  return ask(`${instance.base}/access/v1/evaluations`, body, { token, headers });
}

const explained = () => ({
  context: {
    code: 'permitted',
    rule: 'granted_by_binding',
    binding: scene.organization.bindingIds[1],
    policy_revision: instance.engine.status().revision,
    data_revision: expect.any(Number),
  },
});

describe('a batch', () => {
  it('is cut where its semantic says, and recorded item by item as far as it was decided', async () => {
    const body = (semantic: string) => ({
      subject: scene.alice,
      ...read,
      evaluations: [document('1'), document('secret'), document('2')],
      options: { evaluations_semantic: semantic },
    });
    for (const [semantic, decisions] of [
      ['execute_all', [true, false, true]],
      ['deny_on_first_deny', [true, false]],
      ['permit_on_first_permit', [true]],
    ] as const) {
      const { json } = await evaluations(body(semantic), { requestId: semantic });
      expect(json).toEqual({ evaluations: decisions.map((decision) => ({ decision })) });
      const records = instance.records.filter(({ requestId }) => requestId === semantic);
      expect(records.map(({ item, decision }) => [item, decision])).toEqual([...decisions.entries()]);
    }
  });

  it('is explained item by item, as the item or else the whole asks', async () => {
    const items = [document('1'), { ...document('1'), options: { reasons: false } }];
    const whole = await evaluations({ subject: scene.alice, ...read, ...reasons, evaluations: items });
    expect(whole.json.evaluations).toEqual([{ decision: true, ...explained() }, { decision: true }]);
    const one = await evaluations({
      subject: scene.alice,
      ...read,
      evaluations: [document('1'), { ...document('1'), ...reasons }],
    });
    expect(one.json.evaluations).toEqual([{ decision: true }, { decision: true, ...explained() }]);
    const single = await evaluations({ subject: scene.alice, ...read, ...document('1'), ...reasons });
    expect(single.json).toEqual({ decision: true, ...explained() });
  });

  it('about the caller alone takes no permission, and one about another in any item does', async () => {
    const itself = { type: 'service_account', id: scene.organization.idOf('outsider') };
    const token = scene.outsider.text;
    const own = [document('1'), document('2')];
    expect((await evaluations({ subject: itself, ...read, evaluations: own }, { token })).status).toBe(200);
    const mixed = [...own, { ...document('1'), subject: scene.alice }];
    expect((await evaluations({ subject: itself, ...read, evaluations: mixed }, { token })).status).toBe(403);
  });

  // A binding is taken away and given back all the while: half a batch must not rest on each.
  it('never mixes what a subject might do before a change with what it might do after', {
    timeout: 180_000,
  }, async () => {
    const { organizationId, bindingIds } = scene.organization;
    const change = (role: string) =>
      withOrg(world.pool, organizationId, (tx) =>
        tx
          .updateTable('role_binding')
          .set({ role_name: role })
          .where('binding_id', '=', bindingIds[1] ?? '')
          .execute(),
      );
    let isOver = false;
    const changing = (async () => {
      for (let times = 0; !isOver; times++) await change(times % 2 === 0 ? 'gone' : 'reader');
    })();
    const items = Array.from({ length: 50 }, (_, n) => document(`doc-${n}`));
    const seen = new Set<boolean>();
    let answered = 0;
    try {
      while (answered < 200 || seen.size < 2) {
        const { status, json } = await evaluations({ subject: scene.alice, ...read, evaluations: items });
        if (status !== 200) continue;
        const decisions = new Set<boolean>(
          json.evaluations.map((one: { decision: boolean }) => one.decision),
        );
        expect(decisions.size).toBe(1);
        for (const decision of decisions) seen.add(decision);
        answered++;
      }
    } finally {
      isOver = true;
      await changing;
    }
  });

  it('is not answered at all while decisions cannot be recorded', async () => {
    instance.state.isAccepting = false;
    const { status } = await evaluations({ subject: scene.alice, ...read, evaluations: [document('1')] });
    instance.state.isAccepting = true;
    expect(status).toBe(503);
  });
});

describe('an answer that must be as new as an earlier one', () => {
  const shapes = () =>
    [
      ['evaluation', { subject: scene.alice, ...read, ...document('1') }],
      ['evaluations', { subject: scene.alice, ...read, ...document('1') }],
      ['evaluations', { subject: scene.alice, ...read, evaluations: [document('1')] }],
      ['search/action', { subject: scene.alice, ...document('1') }],
    ] as const;
  const askAs = (path: string, body: object, options: object) =>
    ask(`${instance.base}/access/v1/${path}`, { ...body, options }, { token: scene.gateway.text });

  it('rests on facts of at least that revision, or is not given', async () => {
    const [path, body] = shapes()[0];
    const { json } = await askAs(path, body, { reasons: true });
    const revision: number = json.context.data_revision;
    for (const [each, asked] of shapes()) {
      expect((await askAs(each, asked, { min_data_revision: revision })).status).toBe(200);
      expect((await askAs(each, asked, { min_data_revision: revision + 1_000 })).status).toBe(503);
    }
  });

  it('is as new as the newest bound of any item of a batch; a bound that is none is a fault of its item', async () => {
    const { json } = await askAs(...shapes()[0], { reasons: true });
    const revision: number = json.context.data_revision;
    const batch = (...bounds: unknown[]) =>
      evaluations({
        subject: scene.alice,
        ...read,
        evaluations: bounds.map((bound) => ({ ...document('1'), options: { min_data_revision: bound } })),
      });
    expect((await batch(revision, 0)).status).toBe(200);
    expect((await batch(0, revision + 1_000)).status).toBe(503);
    const faulty = await batch(revision, '7');
    expect(faulty.json.evaluations).toEqual([
      { decision: true },
      {
        decision: false,
        context: { error: { status: 400, message: 'options.min_data_revision must be a whole number' } },
      },
    ]);
  });

  it('is not given for a bound that is none', async () => {
    for (const [path, body] of shapes()) {
      for (const bound of ['7', -1, 1.5, {}]) {
        const { status, json } = await askAs(path, body, { min_data_revision: bound });
        expect([status, json.detail]).toEqual([400, 'options.min_data_revision must be a whole number']);
      }
    }
  });
});

describe('a search', () => {
  const search = (kind: string, body: object, token = scene.gateway.text, requestId = 'search-1') =>
    ask(`${instance.base}/access/v1/search/${kind}`, body, { token, headers: { 'x-request-id': requestId } });

  it('is explained by the revisions it rests on, and recorded once', async () => {
    const before = instance.records.length;
    const body = { subject: { type: 'user' }, ...read, ...document('1'), ...reasons };
    const { json } = await search('subject', body, scene.gateway.text, 'search-17');
    expect(json).toEqual({
      context: { policy_revision: instance.engine.status().revision, data_revision: expect.any(Number) },
      results: [scene.alice],
    });
    expect(instance.records.slice(before)).toMatchObject([
      {
        requestId: 'search-17',
        subject: { type: 'user', id: '*' },
        action: 'read',
        resource: { type: 'document', id: '1' },
        decision: true,
        code: 'searched',
        rule: 'search_subject',
      },
    ]);
  });

  it('about the caller itself takes no permission, and one among subjects always does', async () => {
    const itself = { type: 'service_account', id: scene.organization.idOf('outsider') };
    const own = { subject: itself, ...document('1') };
    expect((await search('action', own, scene.outsider.text)).json).toEqual({ results: [] });
    expect((await search('action', { ...own, subject: scene.alice }, scene.outsider.text)).status).toBe(403);
    const among = { subject: itself, ...read, ...document('1') };
    expect((await search('subject', among, scene.outsider.text)).status).toBe(403);
  });

  it('sees a revocation as an evaluation does', async () => {
    const body = { subject: { type: 'user' }, ...read, ...document('1') };
    expect((await search('subject', body)).json.results).toEqual([scene.alice]);
    await withOrg(world.pool, scene.organization.organizationId, (tx) =>
      tx
        .deleteFrom('role_binding')
        .where('binding_id', '=', scene.organization.bindingIds[1] ?? '')
        .execute(),
    );
    await waitUntil(async () => (await search('subject', body)).json.results.length === 0);
  });

  it('never reaches into another organization', async () => {
    const other = await setScene(world);
    const body = { subject: { type: 'user' }, ...read, ...document('1') };
    expect((await search('subject', body, other.gateway.text)).json.results).toEqual([other.alice]);
    const foreign = { subject: scene.alice, ...document('1') };
    expect((await search('action', foreign, other.gateway.text)).json).toEqual({ results: [] });
  });
});
