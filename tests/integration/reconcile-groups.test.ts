import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
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

const group = (...members: string[]) => toDocument('Group', 'oncall', { displayName: 'On call', members });
const binding = toDocument('RoleBinding', 'oncall-reads', { role: 'reader', subject: 'group/oncall' });
let sources = 0;

/** An organization with a group that reads, whose members are a person and a machine. */
async function newOrganization() {
  const name = `group-${++sources}`;
  const source = await fixture.registerSource(name);
  const file = `organizations/${name}/groups.yaml`;
  const push = (text: string | null) => source.push({ [file]: text });
  await source.push({
    ...toOrganizationFiles(name),
    [file]: group('user/ada', 'service-account/ci') + binding,
  });
  expect(await fixture.reconcile(source)).toMatchObject({ ok: true, value: { applied: [name] } });
  const [row] = await fixture.query('select org_id from organization where name = $1', [name]);
  const id = String(row?.['org_id']);
  const rows = (text: string) => fixture.query(text, [id]);
  const events = async () => (await rows(eventsOf)).map(({ type }) => String(type));
  return { name, source, push, id, rows, events };
}

const membersOf = `
  select g.name, g.managed_by, array_agg(m.member_type order by m.member_type) as members
    from user_group g join group_member m using (org_id, group_id) where org_id = $1 group by 1, 2`;
const created = [
  'uos.group-member.added.v1',
  'uos.group-member.added.v1',
  'uos.group.created.v1',
  'uos.role-binding.created.v1',
];
const eventsOf = `
  select type from audit_event
   where org_id = $1 and (type like 'uos.group%' or leaf::jsonb -> 'data' ->> 'subjectType' = 'group')
   order by type`;

describe.skipIf(!isServed)('a declared group', () => {
  test('becomes a row, its members and an event for each, and lends its members what is bound to it', async () => {
    const { id, rows, events } = await newOrganization();
    expect(await rows(membersOf)).toEqual([
      { name: 'oncall', managed_by: 'git', members: ['service_account', 'user'] },
    ]);
    expect(await events()).toEqual(created);
    const [ada] = await rows("select user_id as id from membership where org_id = $1 and name = 'ada'");
    const [oncall] = await rows('select group_id as id from user_group where org_id = $1');
    const facts = await postgresSubjectFacts(fixture.pool).find(id, {
      type: 'user',
      id: String(ada?.['id']),
    });
    expect(facts.subject.groups).toEqual([oncall?.['id']]);
    expect(facts.bindings).toContainEqual(
      expect.objectContaining({ role: 'reader', permissions: ['report:read'], effect: 'allow' }),
    );
  });

  test('that stays as it is changes nothing, and drift is undone', async () => {
    const { source, rows, events } = await newOrganization();
    const before = await rows(membersOf);
    expect(await fixture.reconcile(source, 'force')).toMatchObject({ value: { applied: [], unchanged: 1 } });
    expect(await events()).toEqual(created);
    await rows("delete from group_member where org_id = $1 and member_type = 'user'");
    await rows("update user_group set display_name = 'Drifted' where org_id = $1");
    expect(await fixture.reconcile(source, 'force')).toMatchObject({ value: { unchanged: 0, refused: [] } });
    expect(await rows(membersOf)).toEqual(before);
    expect(await rows('select display_name from user_group where org_id = $1')).toEqual([
      { display_name: 'On call' },
    ]);
    expect(await events()).toEqual(
      [...created, 'uos.group.updated.v1', 'uos.group-member.added.v1'].toSorted(),
    );
  });

  test('that the API made is taken over with its id and its members', async () => {
    const { source, rows, push } = await newOrganization();
    const before = await rows('select group_id from user_group where org_id = $1');
    await rows("update user_group set managed_by = 'api' where org_id = $1");
    await rows("update group_member set managed_by = 'api' where org_id = $1");
    await push(group('user/ada') + binding);
    expect(await fixture.reconcile(source)).toMatchObject({ value: { refused: [] } });
    expect(await rows('select group_id from user_group where org_id = $1')).toEqual(before);
    expect(
      await rows('select member_type, managed_by from group_member where org_id = $1 order by 1'),
    ).toEqual([
      // What Git does not declare and never made is not its to remove.
      { member_type: 'service_account', managed_by: 'api' },
      { member_type: 'user', managed_by: 'git' },
    ]);
  });

  test('loses a member, then itself with its binding, and nothing else', async () => {
    const { name, source, rows, push, events } = await newOrganization();
    await push(group('user/ada') + binding);
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(await rows(membersOf)).toEqual([{ name: 'oncall', managed_by: 'git', members: ['user'] }]);
    const bindings = await rows('select name from role_binding where org_id = $1 order by name');
    await push(null);
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(await rows('select name from user_group where org_id = $1')).toEqual([]);
    expect(await rows('select name from role_binding where org_id = $1 order by name')).toEqual(
      bindings.filter((one) => one['name'] !== 'oncall-reads'),
    );
    const removed = ['uos.group-member.removed.v1', 'uos.group-member.removed.v1', 'uos.group.removed.v1'];
    expect(await events()).toEqual([...created, ...removed, 'uos.role-binding.removed.v1'].toSorted());
  });

  test('that a binding still names cannot be left out: nothing is changed', async () => {
    const { name, source, rows, push } = await newOrganization();
    await push(binding);
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [], refused: [{ name }] } });
    expect(await rows(membersOf)).toHaveLength(1);
  });
});
