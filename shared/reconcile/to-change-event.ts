import { type Change, type EntityOf, toMemberOf } from '../declarative/index.ts';
import type { Actor, DomainEvent, EventData, PersonalMembers, SealedIn } from '../events/index.ts';
import { invariant } from '../kernel/index.ts';
import type { SubjectKeys } from '../personal-data/index.ts';
import { requireId, requireOwnId, toPrincipalType, toScope, toSubject } from './directory-id.ts';

type Context = {
  readonly organizationId: string;
  readonly ids: ReadonlyMap<string, string>;
  readonly actor: Actor;
  /** Of every person whom the changes are about. */
  readonly subjectKeys: SubjectKeys;
};

const verbs = { create: 'created', update: 'updated', delete: 'removed' } as const;
const memberVerbs = { create: 'added', update: 'updated', delete: 'removed' } as const;
const nouns = {
  user: 'membership',
  team: 'team',
  group: 'group',
  'service-account': 'service-account',
} as const;
const personalFields = ['email', 'displayName'] as const;

/** The event of one change, as the catalogue has it. */
export function toChangeEvent(context: Context, change: Change): DomainEvent {
  const { actor, ids, organizationId } = context;
  const { entity, operation } = change;
  switch (entity.kind) {
    case 'organization':
      return toOrganizationEvent({ actor, subject: organizationId }, change);
    case 'team-member': {
      const type = `uos.team-member.${memberVerbs[operation]}.v1` as const;
      const data = { team: entity.spec.team, ...toMemberData(ids, entity) };
      return { type, actor, subject: requireId(ids, toMemberOf(entity)), data };
    }
    case 'group-member': {
      const type = `uos.group-member.${memberVerbs[operation]}.v1` as const;
      const data = { group: entity.spec.group, ...toMemberData(ids, entity) };
      return { type, actor, subject: requireId(ids, toMemberOf(entity)), data };
    }
    case 'role-binding': {
      const type = `uos.role-binding.${verbs[operation]}.v1` as const;
      return { type, actor, subject: requireOwnId(ids, entity), data: toBindingData(context, entity) };
    }
    case 'role': {
      const subject = requireOwnId(ids, entity);
      const { name, spec } = entity;
      if (operation === 'delete') return { type: 'uos.role.removed.v1', actor, subject, data: { name } };
      const type = `uos.role.${verbs[operation]}.v1` as const;
      return { type, actor, subject, data: { name, permissions: [...spec.permissions] } };
    }
    case 'user': {
      const subject = requireOwnId(ids, entity);
      const personal = (event: SealedIn) => sealPersonal(context.subjectKeys, { event, subject }, change);
      return { ...toNamedEvent({ actor, subject }, entity.kind, change), personal };
    }
    default:
      return toNamedEvent({ actor, subject: requireOwnId(ids, entity) }, entity.kind, change);
  }
}

type Head = { readonly actor: Actor; readonly subject: string };

function toOrganizationEvent(head: Head, change: Change): DomainEvent {
  invariant(change.operation !== 'delete', 'reconciliation removes no organization');
  const { name, managedBy } = change.entity;
  return change.operation === 'create'
    ? { ...head, type: 'uos.organization.created.v1', data: { name, managedBy } }
    : { ...head, type: 'uos.organization.updated.v1', data: { name, changes: [...change.fields] } };
}

function toNamedEvent(head: Head, kind: keyof typeof nouns, change: Change): DomainEvent {
  const noun = nouns[kind];
  const { name, managedBy } = change.entity;
  switch (change.operation) {
    case 'create':
      return { ...head, type: `uos.${noun}.created.v1`, data: { name, managedBy } };
    case 'update':
      return { ...head, type: `uos.${noun}.updated.v1`, data: { name, changes: [...change.fields] } };
    case 'delete':
      return { ...head, type: `uos.${noun}.removed.v1`, data: { name } };
  }
}

/** What a person's texts were and are: both sides of what an update changes, one side of what comes or goes. */
function sealPersonal(
  keys: SubjectKeys,
  place: { readonly event: SealedIn; readonly subject: string },
  change: Change,
): PersonalMembers {
  const before = change.operation === 'update' ? change.before : change.entity;
  const members: PersonalMembers = {};
  for (const field of personalFields) {
    if (change.operation === 'update' && !change.fields.includes(field)) continue;
    const seal = (side: 'before' | 'after', { spec }: EntityOf<'user'>) =>
      keys.seal({ ...place, path: `personal.${field}.${side}` }, spec[field]);
    members[field] = {
      ...(change.operation === 'create' ? {} : { before: seal('before', asUser(before)) }),
      ...(change.operation === 'delete' ? {} : { after: seal('after', asUser(change.entity)) }),
    };
  }
  return members;
}

function asUser(entity: Change['entity']): EntityOf<'user'> {
  invariant(entity.kind === 'user', `"${entity.name}" is no person`);
  return entity;
}

function toMemberData(ids: Context['ids'], { spec }: EntityOf<'team-member' | 'group-member'>) {
  return { memberType: toPrincipalType(spec.member), memberId: requireId(ids, spec.member) };
}

function toBindingData(
  { ids, organizationId }: Context,
  { name, spec }: EntityOf<'role-binding'>,
): EventData<'uos.role-binding.created.v1'> {
  const subject = toSubject(ids, spec.subject);
  const scope = toScope(ids, organizationId, spec.scope);
  return {
    name,
    role: spec.role,
    subjectType: subject.type,
    subjectId: subject.id,
    scopeType: scope.type,
    scopeId: scope.id,
    effect: spec.effect,
    ...(spec.conditions.length === 0 ? {} : { conditions: [...spec.conditions] }),
  };
}
