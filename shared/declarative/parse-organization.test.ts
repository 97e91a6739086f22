import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toFaultText } from './fault.ts';
import { parseOrganization } from './parse-organization.ts';

const version = 'apiVersion: directory.uos.dev/v1';
const file = 'organizations/acme/all.yaml';

function doc(kind: string, name: string, ...spec: string[]): string {
  return [
    version,
    `kind: ${kind}`,
    'metadata:',
    `  name: ${name}`,
    'spec:',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

const organization = doc('Organization', 'acme', 'displayName: Acme');
const ada = doc('User', 'ada', 'email: ada@example.org', 'displayName: Ada');
const core = doc('Team', 'core', 'displayName: Core', 'members: [user/ada]');

function parse(...documents: string[]) {
  return parseOrganization({ slug: 'acme', files: [{ path: file, text: documents.join('---\n') }] });
}

/** The faults as an editor shows them, without the file. */
function faultsOf(...documents: string[]): string[] {
  const parsed = parse(...documents);
  return parsed.ok ? [] : parsed.failure.faults.map((fault) => toFaultText(fault).replace(`${file}:`, ''));
}

test('reads every kind, from several files and documents, defaults filled in', () => {
  const files = [
    { path: 'organizations/acme/a.yaml', text: `${organization}---\n${ada}---\n${core}` },
    {
      path: 'organizations/acme/b.yaml',
      text: [
        doc('Team', 'web', 'displayName: Web', 'parent: core', 'members: [service-account/ci]'),
        doc(
          'ServiceAccount',
          'ci',
          'displayName: CI',
          'ownerTeam: core',
          'labels: { env: prod }',
          'expiresAt: 2027-01-01T01:00:00+01:00',
        ),
        doc('Role', 'reporter', 'description: Reads reports', 'permissions: ["report:read", "chart:*"]'),
        doc(
          'RoleBinding',
          'b1',
          'role: reporter',
          'subject: team/core',
          'expiresAt: 2027-01-01T01:00:00+01:00',
          'conditions: [{ mfa: { max_age_seconds: 300 } }, { network: { cidrs: [10.0.0.0/8] } }]',
        ),
        doc(
          'RoleBinding',
          'b2',
          'role: OrgOwner',
          'subject: group/oncall',
          'scope: {team: web}',
          'effect: deny',
        ),
        doc('Group', 'oncall', 'displayName: On call', 'members: [user/ada, service-account/ci]'),
      ].join('---\n'),
    },
  ];
  const parsed = parseOrganization({ slug: 'acme', files });
  const guards = { maxRemovalPercent: 25, removalsAlwaysAllowed: 5, minOwners: 0 };
  const binding = (name: string, spec: object) => ({ kind: 'role-binding', name, spec });
  expect(parsed).toEqual({
    ok: true,
    value: {
      slug: 'acme',
      entities: [
        {
          kind: 'group-member',
          name: 'oncall/service-account/ci',
          spec: { group: 'oncall', member: 'service-account/ci' },
        },
        { kind: 'group-member', name: 'oncall/user/ada', spec: { group: 'oncall', member: 'user/ada' } },
        { kind: 'group', name: 'oncall', spec: { displayName: 'On call' } },
        { kind: 'organization', name: 'acme', spec: { displayName: 'Acme', guards } },
        binding('b1', {
          role: 'reporter',
          subject: 'team/core',
          scope: null,
          effect: 'allow',
          expiresAt: '2027-01-01T00:00:00.000Z',
          conditions: [{ mfa: { max_age_seconds: 300 } }, { network: { cidrs: ['10.0.0.0/8'] } }],
        }),
        binding('b2', {
          role: 'OrgOwner',
          subject: 'group/oncall',
          scope: { team: 'web' },
          effect: 'deny',
          expiresAt: null,
          conditions: [],
        }),
        {
          kind: 'role',
          name: 'reporter',
          spec: { description: 'Reads reports', permissions: ['chart:*', 'report:read'] },
        },
        {
          kind: 'service-account',
          name: 'ci',
          spec: {
            displayName: 'CI',
            ownerTeam: 'core',
            labels: { env: 'prod' },
            expiresAt: '2027-01-01T00:00:00.000Z',
          },
        },
        { kind: 'team-member', name: 'core/user/ada', spec: { team: 'core', member: 'user/ada' } },
        {
          kind: 'team-member',
          name: 'web/service-account/ci',
          spec: { team: 'web', member: 'service-account/ci' },
        },
        { kind: 'team', name: 'core', spec: { displayName: 'Core', parent: null } },
        { kind: 'team', name: 'web', spec: { displayName: 'Web', parent: 'core' } },
        { kind: 'user', name: 'ada', spec: { email: 'ada@example.org', displayName: 'Ada' } },
      ],
    },
  });
});

describe('reports where, what and what was probably meant:', () => {
  const ones = [organization, ada, core];
  test.each<[string, string[], string[]]>([
    [
      'an unknown key',
      [organization, ada, doc('Team', 'core', 'displayName: Core', 'membrs: [user/ada]')],
      ['22:3: unknown key "membrs", did you mean "members"?'],
    ],
    [
      'an unknown nested key',
      [doc('Organization', 'acme', 'displayName: Acme', 'guards: {minOwner: 1}')],
      ['7:12: unknown key "minOwner", did you mean "minOwners"?'],
    ],
    [
      'an unknown kind',
      [...ones, doc('RoleBindng', 'x', 'role: OrgOwner')],
      [
        '25:7: unknown kind "RoleBindng", known are Organization, Team, Group, User, Role, RoleBinding, ServiceAccount, did you mean "RoleBinding"?',
      ],
    ],
    [
      'another version',
      [organization.replace('/v1', '/v2')],
      ['1:13: unknown apiVersion "directory.uos.dev/v2", did you mean "directory.uos.dev/v1"?'],
    ],
    [
      'a missing field',
      [organization, doc('User', 'ada', 'displayName: Ada')],
      ['13:3: missing "spec.email"'],
    ],
    [
      'a value outside a list',
      [...ones, doc('RoleBinding', 'b', 'role: OrgOwner', 'subject: user/ada', 'effect: alow')],
      ['31:11: "spec.effect": Invalid option: expected one of "allow"|"deny", did you mean "allow"?'],
    ],
    [
      'a role that is not declared',
      [...ones, doc('RoleBinding', 'b', 'role: OrgOwnr', 'subject: user/ada')],
      ['29:9: no role "OrgOwnr" is declared, did you mean "OrgOwner"?'],
    ],
    [
      'a subject that is not declared',
      [...ones, doc('RoleBinding', 'b', 'role: OrgOwner', 'subject: user/adda')],
      ['30:12: no user "adda" is declared, did you mean "ada"?'],
    ],
    [
      'a scope that is not declared',
      [...ones, doc('RoleBinding', 'b', 'role: OrgOwner', 'subject: user/ada', 'scope: {team: coer}')],
      ['31:17: no team "coer" is declared, did you mean "core"?'],
    ],
    [
      'the role of the platform',
      [...ones, doc('RoleBinding', 'b', 'role: PlatformOperator', 'subject: user/ada')],
      ['29:9: the role "PlatformOperator" cannot be given by a declaration'],
    ],
    [
      'a role that takes a built-in name',
      [organization, doc('Role', 'org-owner', 'description: x', 'permissions: ["a:b"]')],
      ['11:9: the role name "org-owner" is reserved for a built-in role'],
    ],
    [
      'a role that grants everything',
      [organization, doc('Role', 'all', 'description: x', 'permissions: ["*:*"]')],
      [
        '14:17: "spec.permissions.0": must be `<type>:<action>` in lower case or `<type>:*`, as in `report:read`',
      ],
    ],
    [
      'two documents of one name',
      [organization, ada, ada.replace('ada@', 'lovelace@')],
      [`19:9: duplicate name: User "ada" is already declared at ${file}:11:9`],
    ],
    [
      'two people of one address',
      [organization, ada, doc('User', 'eve', 'email: ADA@example.org', 'displayName: Eve')],
      [`21:10: duplicate email: this address is already declared at ${file}:13:10`],
    ],
    [
      'a member listed twice',
      [organization, ada, doc('Team', 'core', 'displayName: Core', 'members: [user/ada, user/ada]')],
      ['22:23: "user/ada" is listed twice'],
    ],
    [
      'a group that has a parent, a member of the wrong kind or twice, or is missing',
      [
        organization,
        ada,
        doc('Group', 'ops', 'displayName: Ops', 'parent: other'),
        doc('Group', 'sre', 'displayName: SRE', 'members: [team/core]'),
        doc('Group', 'dev', 'displayName: Dev', 'members: [user/ada, user/ada, user/eve]'),
        doc('RoleBinding', 'b', 'role: Auditor', 'subject: group/dve'),
      ],
      [
        '22:3: unknown key "parent"',
        '30:13: "spec.members.0": must be `user/<name>` or `service-account/<name>`',
        '38:23: "user/ada" is listed twice',
        '38:33: no user "eve" is declared',
        '46:12: no group "dve" is declared, did you mean "dev"?',
      ],
    ],
    [
      'teams that form a cycle',
      [
        organization,
        doc('Team', 'a', 'displayName: A', 'parent: b'),
        doc('Team', 'b', 'displayName: B', 'parent: c'),
        doc('Team', 'c', 'displayName: C', 'parent: b'),
      ],
      ['22:11: teams form a cycle: b -> c -> b'],
    ],
    [
      'too few owners, not counting one who expires',
      [
        doc('Organization', 'acme', 'displayName: Acme', 'guards:', '  minOwners: 1'),
        ada,
        doc('RoleBinding', 'b', 'role: OrgOwner', 'subject: user/ada', 'expiresAt: 2027-01-01T00:00:00Z'),
        doc('RoleBinding', 'c', 'role: OrgOwner', 'subject: user/ada', 'conditions: [{ mfa: {} }]'),
      ],
      ['8:16: guards.minOwners asks for 1 owners, 0 are declared'],
    ],
    [
      'an organization named unlike its folder',
      [organization.replace('acme', 'acmee')],
      ['4:9: the organization is named "acmee", its folder "acme", did you mean "acme"?'],
    ],
    ['no organization', [ada], ['organizations/acme:1:1: no document of kind Organization']],
    ['no document at all', ['# nothing\n'], ['organizations/acme:1:1: no document of kind Organization']],
    [
      'a document that is a list',
      [organization, '- a\n'],
      ['8:1: a document must be a mapping of apiVersion, kind, metadata and spec'],
    ],
    [
      // Threat: text that reads one way and applies another (CVE-2021-42574).
      'text that changes direction',
      [doc('Organization', 'acme', 'displayName: "a\\u202Eb"')],
      ['6:16: "spec.displayName": must be one line of text without control or direction-changing characters'],
    ],
    [
      'half a character',
      [doc('Organization', 'acme', 'displayName: "a\\uD800"')],
      ['6:16: "spec.displayName": must be one line of text without control or direction-changing characters'],
    ],
  ])('%s', (_what, documents, expected) => {
    expect(faultsOf(...documents)).toEqual(expected);
  });
});

test.each(['Team', 'Group'])('counts the people of a %s that owns', (kind) => {
  const documents = [
    doc('Organization', 'acme', 'displayName: Acme', 'guards: { minOwners: 1 }'),
    ada,
    doc(kind, 'owners', 'displayName: Owners', 'members: [user/ada]'),
    doc('RoleBinding', 'b', 'role: OrgOwner', `subject: ${kind.toLowerCase()}/owners`),
  ];
  expect(faultsOf(...documents)).toEqual([]);
});

test('reports all faults at once, in the order of the text', () => {
  const faults = faultsOf(
    organization,
    doc('User', 'Ada', 'email: nobody', 'displayName: ""'),
    doc('Team', 'core', 'displayName: Core', 'parent: gone', 'colour: red'),
    doc('RoleBinding', 'b', 'role: missing', 'subject: user/nobody'),
  );
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['11', '13', '14', '23', '30', '31']);
});

test('does not blame references for a document that has faults of its own', () => {
  expect(faultsOf(organization, ada.replace('email', 'mail'), core)).toEqual([
    '13:3: missing "spec.email"',
    '13:3: unknown key "mail", did you mean "email"?',
  ]);
});

test('does not call missing what an unreadable file may declare, but reports the rest', () => {
  const parsed = parseOrganization({
    slug: 'acme',
    files: [
      { path: 'a.yaml', text: `${organization}---\n${core}---\n${doc('Team', 'core', 'displayName: Core')}` },
      { path: 'b.yaml', text: 'a: [' },
    ],
  });
  const files = parsed.ok ? [] : parsed.failure.faults.map(({ file: path, line }) => `${path}:${line}`);
  expect(new Set(files)).toEqual(new Set(['a.yaml:19', 'b.yaml:1']));
});

test('refuses a declaration whose files could not all be read', () => {
  const faults = [{ file: 'organizations/acme/big.yaml', line: 1, column: 1, message: 'too large' }];
  const files = [{ path: file, text: organization }];
  expect(parseOrganization({ slug: 'acme', files, faults })).toEqual({
    ok: false,
    failure: { code: 'declaration.invalid', faults },
  });
});

// Threat: faults are recorded in events that are never changed, so an erasure would not reach what they quote.
test.each<[string, string[]]>([
  ['the place of a key', [doc('Team', 'core', 'Ada Lovelace 1815: x')]],
  ['a key twice', [doc('Team', 'core', 'Ada Lovelace: x', 'Ada Lovelace: y')]],
  ['the place of a kind', [doc('Ada Lovelace', 'core', 'displayName: Core')]],
  [
    'the place of a version',
    [doc('Team', 'core', 'displayName: Core').replace(/apiVersion: .*/, 'apiVersion: Ada Lovelace')],
  ],
  ['the place of a name', [doc('Organization', 'Ada Lovelace', 'displayName: Acme')]],
  ['the name of a label', [doc('ServiceAccount', 'ci', 'displayName: CI', 'labels: {Ada Lovelace: 1}')]],
  ['a member that lost its key', [doc('User', 'ada', 'Ada Lovelace')]],
  ['broken text', ['a: "Ada Lovelace']],
  ['text after a value', ['a: "b" Ada Lovelace']],
  ['an unknown alias', ['a: *Ada-Lovelace']],
])('tells where, and nothing of what stands in %s', (_what, texts) => {
  const faults = faultsOf(...texts);
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.join('\n')).not.toContain('Lovelace');
});

describe('refuses what makes YAML mean more than it shows:', () => {
  const spec = (...lines: string[]) => doc('Organization', 'acme', ...lines);
  test.each<[string, string, RegExp]>([
    ['an alias', spec('displayName: &a Acme', 'guards: *a'), /7:11: aliases are refused/],
    ['an anchor', spec('displayName: &a Acme'), /6:19: anchors are refused/],
    ['a tag', spec('displayName: !!str Acme'), /6:22: tags are refused/],
    ['a tag of its own', spec('displayName: !js/function Acme'), /tags are refused/],
    ['a merge key', spec('<<: {displayName: Acme}'), /6:3: merge keys are refused/],
    ['a duplicate key', spec('displayName: Acme', 'displayName: Evil'), /7:3: duplicate key "displayName"/],
    ['a prototype', spec('displayName: Acme', '__proto__: {}'), /7:3: the key "__proto__" is refused/],
    ['a directive', `%YAML 1.1\n---\n${organization}`, /directives .* are refused/],
    ['depth', spec(`displayName: ${'['.repeat(30)}${']'.repeat(30)}`), /nests deeper than 20 levels/],
    ['depth that exhausts the stack', '['.repeat(50_000), /is not YAML/],
    ['size', `# ${'x'.repeat(256 * 1024)}`, /larger than 262144 bytes/],
    ['many documents', '---\na\n'.repeat(2001), /more than 2000 documents/],
    ['broken text', 'a: "b', /1:\d+: is not YAML/],
  ])('%s', (_what, text, expected) => {
    expect(faultsOf(text).join('\n')).toMatch(expected);
  });

  test('keys by the ten thousand, without comparing each with each', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`);
    expect(faultsOf(keys.join('\n')).length).toBeGreaterThan(0);
  });
});

describe('a secret in a declaration', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\n    TUlHSEFnRUFNQk1HQnlxR1NNNDkK\n    -----END PRIVATE KEY-----';
  test.each([
    ['one of our API keys', 'uos_sa_live_01h455vb4pex5vsknk084sn02q_3kTMd9LcXkQ2vT7bq'],
    ['a PEM block', pem],
    ['a GitHub token', `ghp_${'a1'.repeat(18)}`],
    ['an AWS access key', 'AKIAABCDEFGHIJKLMNOP'],
    ['a JSON Web Token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTYifQ.c2ln'],
  ])('is refused as %s and repeated nowhere', (what, secret) => {
    const faults = faultsOf(
      organization,
      doc('User', 'ada', 'email: ada@example.org', 'displayName: |-', `  ${secret}`),
    );
    expect(faults).toContain(`15:5: looks like ${what}; a declaration never holds secrets`);
    const keyed = faultsOf(organization, doc('Kind', 'x', `"${secret.replace(/\n */g, '')}": 1`));
    for (const part of secret.split('\n')) expect(`${faults} ${keyed}`).not.toContain(part.trim());
  });
});

describe('never throws and always says something,', () => {
  const lines = [organization, ada, core].join('---\n').split('\n');
  const line = fc.oneof(
    fc.constantFrom(
      ...lines,
      '---',
      '- a',
      '? b',
      '%TAG ! x',
      '...',
      '\t',
      '&a',
      '*a',
      '!!x',
      '{',
      ']',
      '|',
      '>-',
      '"',
    ),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const outcome = (text: string) => {
    const parsed = parse(text);
    return parsed.ok || parsed.failure.faults.length > 0;
  };

  test('whatever the text is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), outcome), { numRuns: 300 });
  });

  test('however a good declaration is mangled', () => {
    const mangled = fc.array(line, { maxLength: 30 }).map((some) => some.join('\n'));
    fc.assert(fc.property(mangled, outcome), { numRuns: 300 });
  });

  test('whatever value stands where', () => {
    const places = [
      ['apiVersion'],
      ['kind'],
      ['metadata'],
      ['metadata', 'name'],
      ['spec'],
      ['spec', 'members'],
      ['spec', 'parent'],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.jsonValue(), ([outer = '', inner], value) => {
        const team: Record<string, unknown> = {
          apiVersion: 'directory.uos.dev/v1',
          kind: 'Team',
          metadata: { name: 'core' },
          spec: { displayName: 'Core' },
        };
        team[outer] = inner === undefined ? value : { ...(team[outer] as object), [inner]: value };
        return outcome(`${organization}---\n${JSON.stringify(team)}`);
      }),
      { numRuns: 300 },
    );
  });
});

// Found by a property test: YAML can give an object members that String() would call.
test.each(['apiVersion', 'kind'])(
  'a "%s" that is an object with its own toString is a fault, not a crash',
  (member) => {
    const text = `${member}: { toString: 1, valueOf: 2 }\nmetadata: { name: acme }\n`;
    const parsed = parseOrganization({ slug: 'acme', files: [{ path: 'organizations/acme/a.yaml', text }] });
    expect(parsed.ok).toBe(false);
  },
);
