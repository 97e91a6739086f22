import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { openPersonalData } from '../../shared/personal-data/index.ts';
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
