import type { DatabasePool } from '../../shared/db/index.ts';
import { type SeededOrganization, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';
import type { Call } from './open-loop.ts';

export type BenchOrganization = { readonly seeded: SeededOrganization; readonly apiKey: string };

const usersPerTeam = 3;
const teams = ['company', 'engineering', 'platform', 'runtime', 'sales'] as const;
type Team = (typeof teams)[number];

/** Users are named after their team: `runtime-2`. The owner and the machine stand outside. */
const members = teams.flatMap((team) => Array.from({ length: usersPerTeam }, (_, n) => `${team}-${n}`));
const actions = ['read', 'list', 'write', 'delete'] as const;
const documents = ['1', '2', 'shared', 'secret'] as const;

export async function seedBench(
  pool: DatabasePool,
  keys: TestApiKeys,
  options: { organizations: number; progress(line: string): void },
): Promise<BenchOrganization[]> {
  const organizations: BenchOrganization[] = [];
  for (let n = 1; n <= options.organizations; n++) {
    const seeded = await seedOrganization(pool, {
      users: [...members, 'owner'],
      serviceAccounts: ['gateway', 'machine'],
      teams: {
        company: { members: of('company') },
        engineering: { parent: 'company', members: of('engineering') },
        platform: { parent: 'engineering', members: of('platform') },
        runtime: { parent: 'platform', members: of('runtime') },
        sales: { members: of('sales') },
      },
      roles: { reader: ['document:read', 'document:list'], editor: ['document:*'] },
      bindings: [
        { role: 'Developer', subject: 'gateway' },
        { role: 'Member', subject: 'machine' },
        { role: 'OrgOwner', subject: 'owner' },
        { role: 'reader', subject: 'engineering' },
        { role: 'editor', subject: 'platform', at: { team: 'platform' } },
        { role: 'editor', subject: 'sales', at: { resource: 'document:shared' } },
        { role: 'reader', subject: 'sales', expiresAt: new Date('2020-01-01T00:00:00Z') },
        { role: 'editor', subject: 'platform-1', at: { resource: 'document:secret' }, effect: 'deny' },
      ],
    });
    organizations.push({ seeded, apiKey: (await keys.issue(seeded, 'gateway')).text });
    if (n % 50 === 0) options.progress(`  seeded ${n} of ${options.organizations} organizations`);
  }
  return organizations;
}

function of(team: Team): string[] {
  return members.filter((name) => name.startsWith(`${team}-`));
}

type Asked = {
  readonly subject: string;
  readonly action: (typeof actions)[number];
  readonly document: (typeof documents)[number];
  /** Team the document belongs to. */
  readonly team: Team;
  readonly mfa: boolean;
};

/** The rules of the seed in plain words, sharing nothing with the policy, so that both cannot be wrong alike. */
function isAllowed({ subject, action, document, team, mfa }: Asked): boolean {
  if (subject === 'stranger' || subject === 'machine') return false;
  if (subject === 'owner') return mfa;
  if (subject === 'platform-1' && document === 'secret') return false;
  const home = subject.slice(0, subject.indexOf('-'));
  if (home === 'sales') return document === 'shared';
  const isEngineer = home === 'engineering' || home === 'platform' || home === 'runtime';
  if (isEngineer && (action === 'read' || action === 'list')) return true;
  const mayEdit = home === 'platform' || home === 'runtime';
  return mayEdit && (team === 'platform' || team === 'runtime');
}

const subjects = [...members, 'owner', 'machine', 'stranger'];

/** Endless questions, the same for the same seed; most come from few organizations, as in life. */
export function createQuestions(organizations: readonly BenchOrganization[], seed = 1): () => Call {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  return () => {
    const organization = organizations[Math.floor(random() ** 2 * organizations.length)] as BenchOrganization;
    const asked: Asked = {
      subject: pick(subjects),
      action: pick(actions),
      document: pick(documents),
      team: pick(teams),
      mfa: random() < 0.5,
    };
    return {
      path: '/access/v1/evaluation',
      headers: { authorization: `Bearer ${organization.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(toRequest(organization.seeded, asked)),
      expected: `{"decision":${isAllowed(asked)}}`,
    };
  };
}

function toRequest({ idOf }: SeededOrganization, { subject, action, document, team, mfa }: Asked) {
  return {
    subject: {
      type: subject === 'machine' ? 'service_account' : 'user',
      id: subject === 'stranger' ? 'usr_nobody' : idOf(subject),
    },
    action: { name: action },
    resource: { type: 'document', id: document, properties: { team: idOf(team) } },
    context: { authentication: { amr: mfa ? ['pwd', 'mfa'] : ['pwd'] } },
  };
}

/** mulberry32: small, good enough to mix questions, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
