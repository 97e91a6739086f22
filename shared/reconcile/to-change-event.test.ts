import { describe, expect, test } from 'vitest';
import { type Change, type ManagedEntity, parseOrganization } from '../declarative/index.ts';
import { toCloudEvent } from '../events/event-recorder.postgres.ts';
import { leafBytesMax, toLeaf } from '../events/index.ts';
import { systemClock as clock, systemRandom as random } from '../kernel/index.ts';
import type { SubjectKeys } from '../personal-data/index.ts';
import { toChangeEvent } from './to-change-event.ts';

const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const actor = { type: 'git_source', id: 'src_01h455vb4pex5vsknk084sn02q' } as const;
const ids = new Map([
  ['user/ada', 'usr_1'],
  ['team/core', 'team_1'],
  ['group/oncall', 'group_1'],
  ['service-account/ci', 'sa_1'],
  ['role/reader', 'role_1'],
  ['role-binding/readers', 'bind_1'],
]);
// Readable on purpose: what goes where is seen, and that nothing stands elsewhere.
const subjectKeys: SubjectKeys = {
  seal: ({ event, subject, path }, text) => ({ sealed: [event.id, path, text].join(' '), subject }),
};
const toEvent = (change: Change) => toChangeEvent({ organizationId, ids, actor, subjectKeys }, change);

const binding = (team: string | null): ManagedEntity => ({
  kind: 'role-binding',
  name: 'readers',
  managedBy: 'git',
  spec: {
    role: 'reader',
    subject: 'service-account/ci',
    scope: team === null ? null : { team },
    effect: 'allow',
    expiresAt: null,
    conditions: [],
  },
});

describe('the event of a change', () => {
  test.each([
    [null, { scopeType: 'organization', scopeId: organizationId }],
    ['core', { scopeType: 'team', scopeId: 'team_1' }],
    ['resource:report:42', { scopeType: 'resource', scopeId: 'report:42' }],
  ])('of a binding at %s names subject and scope by id', (team, scope) => {
    expect(toEvent({ operation: 'delete', entity: binding(team), reason: 'declared' })).toMatchObject({
      type: 'uos.role-binding.removed.v1',
      subject: 'bind_1',
      data: { subjectType: 'service_account', subjectId: 'sa_1', ...scope },
    });
  });

  test('of a group and of its member is about the group', () => {
    const managedBy = 'git' as const;
    const group: ManagedEntity = {
      kind: 'group',
      name: 'oncall',
      spec: { displayName: 'On call' },
      managedBy,
    };
    const member: ManagedEntity = {
      kind: 'group-member',
      name: 'oncall/service-account/ci',
      spec: { group: 'oncall', member: 'service-account/ci' },
      managedBy,
    };
    expect(toEvent({ operation: 'create', entity: group, reason: 'declared' })).toEqual({
      type: 'uos.group.created.v1',
      subject: 'group_1',
      actor,
      data: { name: 'oncall', managedBy },
    });
    expect(toEvent({ operation: 'delete', entity: member, reason: 'declared' })).toEqual({
      type: 'uos.group-member.removed.v1',
      subject: 'group_1',
      actor,
      data: { group: 'oncall', memberType: 'service_account', memberId: 'sa_1' },
    });
  });

  describe('of a person', () => {
    const entity: ManagedEntity & { kind: 'user' } = {
      kind: 'user',
      name: 'ada',
      managedBy: 'git',
      spec: { email: 'ada@example.org', displayName: 'Ada' },
    };
    const before = { ...entity, spec: { email: 'old@example.org', displayName: 'Ada' } };
    const sealed = (path: string, text: string) => ({ sealed: `evt_1 ${path} ${text}`, subject: 'usr_1' });
    const email = sealed('personal.email.after', 'ada@example.org');
    const displayName = sealed('personal.displayName.after', 'Ada');

    test.each<[Change, object]>([
      [
        { operation: 'create', entity, reason: 'declared' },
        { email: { after: email }, displayName: { after: displayName } },
      ],
      [
        { operation: 'update', entity, before, fields: ['email'], reason: 'declared' },
        { email: { before: sealed('personal.email.before', 'old@example.org'), after: email } },
      ],
      [
        { operation: 'delete', entity, reason: 'declared' },
        {
          email: { before: sealed('personal.email.before', 'ada@example.org') },
          displayName: { before: sealed('personal.displayName.before', 'Ada') },
        },
      ],
    ])('holds what changed, old and new, sealed and nowhere else: %j', (change, expected) => {
      const { personal, ...event } = toEvent(change);
      expect(personal?.({ id: 'evt_1', type: event.type })).toEqual(expected);
      expect(JSON.stringify(event)).not.toMatch(/example\.org|"Ada"/);
    });
  });

  test('of a thing without an id is a bug and not an event', () => {
    const entity: ManagedEntity = {
      kind: 'team-member',
      name: 'gone/user/ada',
      managedBy: 'git',
      spec: { team: 'gone', member: 'user/ada' },
    };
    expect(() => toEvent({ operation: 'create', entity, reason: 'declared' })).toThrow('team/gone');
  });
});

// Threat: a declaration that parses but can never be recorded would be tried again for ever.
test('the largest role that can be declared fits the leaf of its event', () => {
  const declare = (count: number) => {
    const permissions = Array.from({ length: count }, (_, index) => `a:${'b'.repeat(122)}${1000 + index}`);
    const document = (kind: string, name: string, spec: object) =>
      `---\n${JSON.stringify({ apiVersion: 'directory.uos.dev/v1', kind, metadata: { name }, spec })}\n`;
    const text =
      document('Organization', 'acme', { displayName: 'Acme' }) +
      document('Role', 'reader', { description: 'Reads', permissions });
    return parseOrganization({ slug: 'acme', files: [{ path: 'organizations/acme/o.yaml', text }] });
  };
  expect(declare(401).ok).toBe(false);
  const parsed = declare(400);
  const role = parsed.ok ? parsed.value.entities.find(({ kind }) => kind === 'role') : undefined;
  if (role === undefined) throw new Error('the declaration does not parse');
  const event = toEvent({ operation: 'create', entity: { ...role, managedBy: 'git' }, reason: 'declared' });
  const leaf = toLeaf(toCloudEvent({ clock, random, source: 'uos/reconcile' }, organizationId, event));
  expect(Buffer.byteLength(leaf)).toBeLessThanOrEqual(leafBytesMax);
});
