/** The organization that the tour declares, as the files of its repository. */
const head = (kind: string, name: string) => `apiVersion: directory.uos.dev/v1
kind: ${kind}
metadata: { name: ${name} }
`;

const binding = (
  name: string,
  role: string,
  subject: string,
) => `${head('RoleBinding', name)}spec: { role: ${role}, subject: ${subject} }
`;

const organization = `${head('Organization', 'acme')}spec: { displayName: Acme Ltd }
`;

const people = [
  `${head('User', 'ada')}spec: { email: ada@acme.example, displayName: Ada }
`,
  `${head('User', 'grace')}spec: { email: grace@acme.example, displayName: Grace }
`,
].join('---\n');

const teams = [
  `${head('Team', 'engineering')}spec: { displayName: Engineering, members: [user/grace] }
`,
  `${head('Team', 'reporting')}spec: { displayName: Reporting, parent: engineering, members: [user/ada] }
`,
].join('---\n');

const roles = `${head('Role', 'report-reader')}spec:
  description: May read reports
  permissions: ["report:read"]
`;

const machines = `${head('ServiceAccount', 'ci')}spec: { displayName: Build pipeline, ownerTeam: engineering }
`;

const standingBindings = [
  binding('ci-builds', 'Developer', 'service-account/ci'),
  binding('grace-owns', 'OrgOwner', 'user/grace'),
].join('---\n');

export const readersFile = 'organizations/acme/readers.yaml';

export const acme: Readonly<Record<string, string>> = {
  'organizations/acme/organization.yaml': organization,
  'organizations/acme/people.yaml': people,
  'organizations/acme/teams.yaml': teams,
  'organizations/acme/roles.yaml': roles,
  'organizations/acme/machines.yaml': machines,
  'organizations/acme/bindings.yaml': standingBindings,
  // Ada reads reports because her team does; the tour removes this file.
  [readersFile]: binding('reporting-reads', 'report-reader', 'team/reporting'),
};
