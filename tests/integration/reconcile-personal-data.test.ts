import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { openPersonalData } from '../../shared/personal-data/index.ts';
import { reconcileSource } from '../../shared/reconcile/index.ts';
import { canServeGit } from '../support/git-server.ts';
import {
  createReconcileFixture,
  type ReconcileFixture,
  toDocument,
  toOrganizationFiles,
} from './reconcile-fixture.ts';

const isServed = await canServeGit();
let fixture: ReconcileFixture;

beforeAll(async () => {
  if (isServed) fixture = await createReconcileFixture();
});
afterAll(() => fixture?.close());

/** What the trail of one organization says of its people, oldest first: `type path value`. */
async function readTrail(organizationId: string): Promise<string[]> {
  const rows = await fixture.query(
    `select type, leaf from audit_event where org_id = $1 and type like 'uos.membership.%'
      order by event_id`,
    [organizationId],
  );
  const opened = await withOrg(fixture.pool, organizationId, (tx) =>
    openPersonalData(fixture.deps.personalData, tx, {
      organizationId,
      leaves: rows.map((row) => String(row['leaf'])),
    }),
  );
  return opened.flatMap((members, place) =>
    members.map(
      (member) =>
        `${rows[place]?.['type']} ${member.path} ${member.status === 'readable' ? member.value : member.status}`,
    ),
  );
}

describe.skipIf(!isServed)('the trail of declared people', () => {
  test('says what their texts were and are, and nothing of it is readable in the database', async () => {
    const source = await fixture.registerSource('people');
    const files = toOrganizationFiles('people');
    const file = 'organizations/people/people.yaml';
    await source.push(files);
    await fixture.reconcile(source);
    const [row] = await fixture.query('select org_id from organization where name = $1', ['people']);
    const id = String(row?.['org_id']);
    await source.push({
      [file]:
        toDocument('User', 'ada', { email: 'lovelace@example.org', displayName: 'Ada' }) +
        toDocument('User', 'grace', { email: 'grace@example.org', displayName: 'Grace' }),
    });
    await fixture.reconcile(source);
    await source.push({
      [file]: toDocument('User', 'ada', { email: 'lovelace@example.org', displayName: 'Ada' }),
      'organizations/people/teams.yaml':
        toDocument('Team', 'engineering', { displayName: 'Engineering' }) +
        toDocument('Team', 'core', { displayName: 'Core', members: ['user/ada', 'service-account/ci'] }),
    });
    await fixture.reconcile(source);
    const [created, updated, removed] = ['created', 'updated', 'removed'].map(
      (verb) => `uos.membership.${verb}.v1`,
    );
    const trail = await readTrail(id);
    expect(trail.toSorted()).toEqual(
      [
        `${created} personal.email.after ada@example.org`,
        `${created} personal.displayName.after Ada`,
        `${created} personal.email.after grace@example.org`,
        `${created} personal.displayName.after Grace`,
        `${updated} personal.email.before ada@example.org`,
        `${updated} personal.email.after lovelace@example.org`,
        `${removed} personal.email.before grace@example.org`,
        `${removed} personal.displayName.before Grace`,
      ].toSorted(),
    );
    const readable = await fixture.query(
      `select event_id from audit_event where leaf like '%@example.org%'
        union all select event_id from outbox where payload like '%@example.org%'`,
    );
    expect(readable).toEqual([]);
  });
});

// Threat: nobody can be erased who never was a member, so what a plan said of them would stay for ever.
describe.skipIf(!isServed)('a plan that was stored and never applied', () => {
  const file = 'organizations/almost/lin.yaml';
  async function planWithoutApplying() {
    const source = await fixture.registerSource('almost');
    await source.push({
      ...toOrganizationFiles('almost'),
      [file]: toDocument('User', 'lin', { email: 'lin@example.org', displayName: 'Lin' }),
    });
    const lock = () => Promise.reject(new Error('killed'));
    const deps = { ...fixture.deps, directory: { ...fixture.deps.directory, lock } };
    expect(await reconcileSource(deps, { sourceId: source.id, trigger: 'push' })).toMatchObject({
      failure: { code: 'reconcile.incomplete' },
    });
    return source;
  }
  const plansOfLin = () =>
    fixture.query(`select status, plan_hash from reconcile_run where plan::text like '%lin@example.org%'`);

  test('says nothing of a person any more once another decided, and keeps its hash', async () => {
    const source = await planWithoutApplying();
    const [planned] = await plansOfLin();
    expect(planned).toMatchObject({ status: 'planned' });
    await source.push({ [file]: null });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { refused: [] } });
    expect(await plansOfLin()).toEqual([]);
    const hashes = await fixture.query(`select plan_hash from reconcile_run where status = 'planned'`);
    expect(hashes).toEqual([{ plan_hash: planned?.['plan_hash'] }]);
  });
});
