import type {
  BindingCondition,
  EvaluationRequest,
  FactsDemand,
  PolicyInput,
  ResourceFacts,
  SubjectFacts,
} from '../../shared/authorization/index.ts';

/**
 * Organizations as anybody would write them down, changed at random, with the facts of a subject told in the plainest
 * way. What the SQL gathers and what a cache remembers is compared with it.
 */
export type Pick = (below: number) => number;

type Team = { id: string; parent: string | undefined; members: Set<string> };
type Group = { id: string; members: Set<string> };
type Account = { type: 'user' | 'service_account'; id: string; status: 'active' | 'disabled' };
type Key = {
  id: string;
  account: string;
  status: 'active' | 'disabled' | 'revoked';
  expiresAt: number | undefined;
  scopes: readonly string[] | undefined;
};
type Binding = {
  id: string;
  role: string;
  subject: string;
  scope: { type: 'organization' | 'team' | 'resource'; id: string };
  effect: 'allow' | 'deny';
  expiresAt: number | undefined;
  conditions: readonly BindingCondition[];
};

export type WorldOrganization = {
  readonly id: string;
  status: 'active' | 'suspended';
  readonly teams: Team[];
  readonly groups: Group[];
  readonly accounts: Account[];
  readonly keys: Key[];
  readonly roles: Map<string, readonly string[]>;
  readonly bindings: Binding[];
  readonly resourceTypes: readonly string[];
  readonly resources: Map<string, ResourceFacts>;
  readonly revision: { data: number; subjects: number; resources: number };
};

export const worldNow = 1_800_000_000;
const actions = ['read', 'write', 'share'];
/** `note` is not registered: of its resources only the request speaks. */
const types = ['document', 'folder', 'note'];
const departments = ['sales', 'legal'];

/** mulberry32: the same seed gives the same world everywhere. */
export function createPick(seed: number): Pick {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export function oneOf<T>(pick: Pick, items: readonly T[]): T {
  if (items.length === 0) throw new Error('nothing to choose from');
  return items[pick(items.length)] as T;
}

/** `idOf` gives ids of the form that the database's owner would; the names differ between organizations. */
export function createOrganization(
  pick: Pick,
  id: string,
  idOf: (name: string) => string,
): WorldOrganization {
  const accounts: Account[] = ['a', 'b', 'c', 'd'].map((name) => ({
    type: name < 'c' ? 'user' : 'service_account',
    id: idOf(name < 'c' ? `usr_${name}` : `sa_${name}`),
    status: 'active',
  }));
  const teams: Team[] = [];
  for (const name of ['1', '2', '3', '4', '5']) {
    const parent = teams.length === 0 || pick(4) === 0 ? undefined : oneOf(pick, teams).id;
    const members = new Set(accounts.filter(() => pick(3) === 0).map((account) => account.id));
    teams.push({ id: idOf(`team_${name}`), parent, members });
  }
  const groups: Group[] = ['1', '2', '3'].map((name) => ({
    id: idOf(`group_${name}`),
    members: new Set(accounts.filter(() => pick(3) === 0).map((account) => account.id)),
  }));
  const organization: WorldOrganization = {
    id,
    status: 'active',
    teams,
    groups,
    accounts,
    keys: accounts.map((account) => ({
      id: idOf(`key_${account.id.slice(-1)}`),
      account: account.id,
      status: 'active',
      expiresAt: undefined,
      scopes: createScopes(pick, account),
    })),
    roles: new Map([
      ['reader', ['document:read', 'folder:read']],
      ['writer', ['document:*', 'note:write']],
      ['all', ['*:*']],
    ]),
    bindings: [],
    resourceTypes: ['document', 'folder'],
    resources: new Map(),
    revision: { data: 1, subjects: 1, resources: 1 },
  };
  for (let place = 0; place < 12; place++)
    organization.bindings.push(createBinding(pick, organization, idOf(`bind_${place}`)));
  for (let place = 0; place < 6; place++)
    organization.resources.set(createResourceKey(pick), createResource(pick, organization));
  return organization;
}

/** A user's key always has some. */
function createScopes(pick: Pick, { type }: Account): readonly string[] | undefined {
  const all = ['document:read', 'document:*', 'folder:read', 'note:write', '*:*'];
  return type === 'service_account' && pick(3) === 0 ? undefined : [oneOf(pick, all), oneOf(pick, all)];
}

function createBinding(pick: Pick, organization: WorldOrganization, id: string): Binding {
  const scopes: Binding['scope'][] = [
    { type: 'organization', id: organization.id },
    { type: 'team', id: oneOf(pick, organization.teams).id },
    { type: 'resource', id: createResourceKey(pick) },
  ];
  return {
    id,
    role: oneOf(pick, ['reader', 'writer', 'all', 'gone', 'OrgOwner', 'Developer']),
    subject: oneOf(pick, [...organization.teams, ...organization.groups, ...organization.accounts]).id,
    scope: scopes[Math.max(0, pick(4) - 1)] ?? { type: 'organization', id: organization.id },
    effect: pick(6) === 0 ? 'deny' : 'allow',
    expiresAt: pick(4) === 0 ? worldNow + pick(3) - 1 : undefined,
    conditions: pick(3) === 0 ? [createCondition(pick)] : [],
  };
}

function createCondition(pick: Pick): BindingCondition {
  const all: BindingCondition[] = [
    { mfa: { max_age_seconds: 300 } },
    { network: { cidrs: ['10.0.0.0/8'] } },
    { time: { weekdays: [5 + pick(2)] } },
    { resource: { attribute: 'owner', equals: 'subject.id' } },
    { resource: { attribute: 'department', equals: 'subject.department' } },
    { resource: { attribute: 'level', equals: 3 } },
  ];
  return oneOf(pick, all);
}

function createResourceKey(pick: Pick): string {
  return `${oneOf(pick, types.slice(0, 2))}:${pick(5)}`;
}

function createResource(pick: Pick, { teams, accounts }: WorldOrganization): ResourceFacts {
  return {
    ...(pick(3) === 0 ? {} : { team: oneOf(pick, teams).id }),
    ...(pick(3) === 0 ? {} : { owner: oneOf(pick, accounts).id }),
    attributes: pick(2) === 0 ? {} : { department: oneOf(pick, departments), level: 2 + pick(2) },
  };
}

/** Changes one thing and says in which part of the facts. */
export function change(pick: Pick, organization: WorldOrganization): 'subjects' | 'resources' {
  const { teams, groups, accounts, bindings, keys, resources, revision } = organization;
  const isOfResources = pick(3) === 0;
  if (isOfResources) {
    const key = createResourceKey(pick);
    if (pick(3) === 0) resources.delete(key);
    else resources.set(key, createResource(pick, organization));
  } else {
    const place = pick(bindings.length);
    const changes = [
      () => {
        bindings[place] = createBinding(pick, organization, bindings[place]?.id ?? '');
      },
      () => {
        bindings[place] = createBinding(pick, organization, bindings[place]?.id ?? '');
      },
      () => oneOf(pick, teams).members.add(oneOf(pick, accounts).id),
      () => oneOf(pick, teams).members.delete(oneOf(pick, accounts).id),
      () => oneOf(pick, groups).members.add(oneOf(pick, accounts).id),
      () => oneOf(pick, groups).members.delete(oneOf(pick, accounts).id),
      () => {
        oneOf(pick, accounts).status = pick(4) === 0 ? 'disabled' : 'active';
      },
      () => {
        oneOf(pick, keys).status = oneOf(pick, ['active', 'active', 'disabled', 'revoked'] as const);
      },
      () => {
        oneOf(pick, keys).expiresAt = pick(2) === 0 ? undefined : worldNow + pick(3) - 1;
      },
      () => {
        const key = oneOf(pick, keys);
        key.scopes = createScopes(pick, ownerOf(organization, key));
      },
      () => {
        organization.status = pick(6) === 0 ? 'suspended' : 'active';
      },
      () => organization.roles.set('writer', pick(2) === 0 ? ['document:*'] : ['note:write']),
    ];
    oneOf(pick, changes)();
  }
  revision.data++;
  revision[isOfResources ? 'resources' : 'subjects'] = revision.data;
  return isOfResources ? 'resources' : 'subjects';
}

export function createQuestion(pick: Pick, organization: WorldOrganization): EvaluationRequest {
  const { accounts, groups, keys, teams } = organization;
  const subjects = [
    ...accounts.map(({ type, id }) => ({ type, id })),
    ...keys.map(({ id }) => ({ type: 'api_key', id })),
    { type: 'group', id: oneOf(pick, groups).id },
    { type: 'user', id: 'nobody' },
  ];
  return {
    subject: {
      ...oneOf(pick, subjects),
      properties: pick(2) === 0 ? undefined : { department: oneOf(pick, departments), id: accounts[0]?.id },
    },
    action: { name: oneOf(pick, actions), properties: undefined },
    resource: {
      type: oneOf(pick, types),
      id: String(pick(5)),
      properties:
        pick(2) === 0
          ? undefined
          : {
              team: oneOf(pick, teams).id,
              owner: oneOf(pick, accounts).id,
              department: oneOf(pick, departments),
            },
    },
    context: oneOf(pick, [
      undefined,
      { authentication: { amr: ['mfa'], auth_time: worldNow - 290 - pick(20) }, network: { ip: '10.0.0.1' } },
      { authentication: { amr: ['pwd'] }, network: { ip: '11.0.0.1' } },
    ]),
  };
}

/** The facts, walked together step by step. */
export function toFacts(
  organization: WorldOrganization,
  subject: { type: string; id: string },
  demand: FactsDemand = {},
): SubjectFacts {
  const key = subject.type === 'api_key' ? organization.keys.find(({ id }) => id === subject.id) : undefined;
  const account = key
    ? ownerOf(organization, key)
    : listSubjects(organization).find(({ type, id }) => id === subject.id && type === subject.type);
  const rest = {
    resourceTypes: organization.resourceTypes,
    revision: { ...organization.revision },
    ...(demand.resource === undefined
      ? {}
      : { resource: organization.resources.get(`${demand.resource.type}:${demand.resource.id}`) ?? null }),
  };
  if (account === undefined) {
    const unknown = { known: false, status: 'disabled' as const, teams: [] };
    return {
      organization: { id: organization.id, status: 'active' },
      subject: unknown,
      bindings: [],
      ...rest,
    };
  }
  const teams = new Set<string>();
  for (const team of organization.teams.filter(({ members }) => members.has(account.id)))
    for (
      let at: string | undefined = team.id;
      at !== undefined && !teams.has(at);
      at = parentOf(organization, at)
    )
      teams.add(at);
  const groups = organization.groups.filter(({ members }) => members.has(account.id)).map(({ id }) => id);
  const holders = new Set([account.id, ...teams, ...groups]);
  const isDisabled = account.status !== 'active' || (key !== undefined && key.status !== 'active');
  return {
    organization: { id: organization.id, status: organization.status },
    subject: {
      known: true,
      status: isDisabled ? 'disabled' : 'active',
      teams: [...teams].sort(),
      ...(groups.length === 0 ? {} : { groups: groups.sort() }),
      ...(key === undefined ? {} : { acts_as: { type: account.type, id: account.id } }),
      ...(key?.scopes === undefined ? {} : { scopes: key.scopes }),
      ...(key?.expiresAt === undefined ? {} : { expires_at: key.expiresAt }),
    },
    bindings: organization.bindings
      .filter((binding) => holders.has(binding.subject))
      .map((binding) => toBindingFact(organization, binding))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...rest,
  };
}

/** A group is a subject of its own, active as long as it is there. */
function listSubjects({ accounts, groups }: WorldOrganization) {
  return [
    ...accounts,
    ...groups.map(({ id }) => ({ type: 'group' as const, id, status: 'active' as const })),
  ];
}

function ownerOf({ accounts }: WorldOrganization, key: Key): Account {
  const owner = accounts.find(({ id }) => id === key.account);
  if (owner === undefined) throw new Error('a key of nobody');
  return owner;
}

function toBindingFact(organization: WorldOrganization, binding: Binding): PolicyInput['bindings'][number] {
  const { id, role, effect, scope, expiresAt, conditions } = binding;
  const below = organization.teams.filter((team) => isBelow(organization, team.id, scope.id));
  return {
    id,
    role,
    effect,
    permissions: organization.roles.get(role) ?? [],
    scope:
      scope.type === 'team'
        ? { type: 'team', id: scope.id, descendants: below.map((team) => team.id).sort() }
        : { type: scope.type, id: scope.id },
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function isBelow(organization: WorldOrganization, team: string, above: string): boolean {
  const parent = parentOf(organization, team);
  return parent !== undefined && (parent === above || isBelow(organization, parent, above));
}

function parentOf({ teams }: WorldOrganization, team: string): string | undefined {
  return teams.find(({ id }) => id === team)?.parent;
}

/** What the policy is asked, put together by hand: the registration's word over the request's. */
export function toModelInput(facts: SubjectFacts, request: EvaluationRequest): PolicyInput {
  const { subject, action, resource, context } = request;
  const stated = { ...resource.properties };
  if (facts.resource) {
    delete stated['team'];
    delete stated['owner'];
    Object.assign(stated, facts.resource.attributes);
    if (facts.resource.team !== undefined) stated['team'] = facts.resource.team;
    if (facts.resource.owner !== undefined) stated['owner'] = facts.resource.owner;
  }
  return {
    now: worldNow,
    organization: facts.organization,
    subject: {
      type: subject.type,
      id: subject.id,
      ...facts.subject,
      ...(subject.properties === undefined ? {} : { properties: subject.properties }),
    },
    bindings: facts.bindings,
    action: { name: action.name },
    resource: { type: resource.type, id: resource.id, properties: stated },
    context: context ?? {},
  };
}
