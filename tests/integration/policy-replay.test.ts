import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { withOrg } from '../../shared/db/index.ts';
import { toLine } from '../../shared/decision-record/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../support/authorize-instance.ts';
import { bundleFiles, withData } from '../support/policy-bundle-fixture.ts';
import { runPolicy } from '../support/policy-command.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let organization: SeededOrganization;
let scratch: string;
const at = (name: string) => join(scratch, name);

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
  organization = await seedOrganization(world.pool, {
    users: ['ann', 'ben'],
    serviceAccounts: ['gateway'],
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'reader', subject: 'ann' },
      { role: 'Member', subject: 'ben' },
    ],
  });
  scratch = await mkdtemp(join(tmpdir(), 'uos-replay-'));
  const files = await bundleFiles({ revision: 'as-it-is' });
  await writeBundleFiles(at('old'), files);
  const generous = withData(files, 'generous', ({ roles }) => {
    roles.Member.permissions = ['*:*'];
  });
  await writeBundleFiles(at('new.tar.gz'), generous);
  await record();
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true });
});

/** Two segments of what was really asked and answered. */
async function record(): Promise<void> {
  const token = (await world.keys.issue(organization, 'gateway')).text;
  for (const [name, action] of [
    ['ann', 'read'],
    ['ben', 'delete'],
    ['ben', 'delete'],
    ['ben', 'erase'],
  ] as const) {
    const subject = { type: 'user', id: organization.idOf(name) };
    const question = { subject, action: { name: action }, resource: { type: 'document', id: '42' } };
    const headers = { 'x-request-id': `${name}-${action}` };
    expect((await askAuthorize(instance.base, question, { token, headers })).status).toBe(200);
  }
  const lines = instance.records.map((made) => toLine(made));
  await writeFile(at('one.ndjson.gz'), gzipSync(lines.slice(0, 2).join('')));
  await writeFile(at('two.ndjson.gz'), gzipSync(lines.slice(2).join('')));
}

const replay = (...args: string[]) =>
  runPolicy('replay', '--bundle', at('new.tar.gz'), '--database', world.database.appUrl, ...args);
const segments = () => ['--records', at('one.ndjson.gz'), at('two.ndjson.gz')];

describe('a replay of decision records', () => {
  it('shows which decisions another bundle would flip, by rule and by principal', async () => {
    const { code, out } = await replay('--against', at('old'), '--json', ...segments());
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      bundle: 'generous',
      against: 'as-it-is',
      facts: 'present',
      changed_since: 0,
      total: 4,
      flipped: 3,
      to_permit: 3,
      by_rule: [{ before: { rule: 'no_grant' }, after: { rule: 'granted_by_binding' }, count: 3 }],
      by_subject: [
        {
          organization: organization.organizationId,
          type: 'user',
          id: organization.idOf('ben'),
          to_permit: 3,
          to_refuse: 0,
        },
      ],
      flips: [{ name: 'ben-delete' }, { name: 'ben-delete' }, { name: 'ben-erase' }],
    });
  });

  it('flips nothing with the bundle that decided, and says what it rests on', async () => {
    const same = await runPolicy(
      ...['replay', '--bundle', at('old'), '--database', world.database.appUrl, ...segments()],
    );
    expect(same).toMatchObject({ code: 0, complaint: '' });
    expect(same.out).toContain('4 decisions replayed: as-it-is against what was recorded\n0 would flip');
    expect(same.out).toContain('Facts are those of the database now');
  });

  // A search that found something is one record, permitted, about any action: asked as a question it is a refusal.
  it('asks no search again, and counts those it left out', async () => {
    const token = (await world.keys.issue(organization, 'gateway')).text;
    const subject = { type: 'user', id: organization.idOf('ann') };
    const before = instance.records.length;
    const question = { subject, resource: { type: 'document', id: '42' } };
    expect(
      (await askAuthorize(instance.base, question, { token, path: '/access/v1/search/action' })).status,
    ).toBe(200);
    const lines = instance.records.splice(before).map((made) => toLine(made));
    expect(lines.join('')).toContain('"decision":true,"code":"searched"');
    await writeFile(at('search.ndjson.gz'), gzipSync(lines.join('')));
    const args = [
      '--bundle',
      at('old'),
      '--database',
      world.database.appUrl,
      '--records',
      at('search.ndjson.gz'),
    ];
    const same = await runPolicy('replay', ...args, '--json');
    expect(same.code).toBe(0);
    expect(JSON.parse(same.out)).toMatchObject({
      total: 0,
      flipped: 0,
      skipped: { searches: 1, shortened: 0 },
    });
    expect((await runPolicy('replay', ...args)).out).toContain('1 records of searches');
  });

  it('tells facts that have changed since from what the policy would flip', async () => {
    const id = organization.bindingIds[1] ?? '';
    const change = (effect: 'allow' | 'deny') =>
      withOrg(world.pool, organization.organizationId, (tx) =>
        tx.updateTable('role_binding').set({ effect }).where('binding_id', '=', id).execute(),
      );
    await change('deny');
    const report = JSON.parse((await replay('--against', at('old'), '--json', ...segments())).out);
    expect([report.changed_since, report.flipped]).toEqual([1, 3]);
    const recorded = JSON.parse((await replay('--json', ...segments())).out);
    expect([recorded.changed_since, recorded.flipped, recorded.to_refuse]).toEqual([undefined, 4, 1]);
    await change('allow');
  });

  it.each([
    ['a segment that is cut off', async () => gzipSync('x'.repeat(10_000)).subarray(0, 30)],
    ['a line that is no record', async () => gzipSync('{"decision":true}\n')],
    ['a segment that is none', async () => Buffer.from('plain')],
  ])('with %s is 2, and names the file', async (_what, make) => {
    await writeFile(at('bad.ndjson.gz'), await make());
    const { code, complaint } = await replay('--records', at('bad.ndjson.gz'));
    expect([code, complaint]).toEqual([2, expect.stringContaining('bad.ndjson.gz')]);
  });

  // A refusal for want of facts would look like a flip.
  it('without the database is 2, not a flip', async () => {
    const url = 'postgres://nobody:none@127.0.0.1:1/none';
    const away = await runPolicy('replay', '--bundle', at('old'), '--database', url, ...segments());
    expect(away).toMatchObject({ code: 2, complaint: expect.stringContaining('facts could not be had') });
  });
});
