import { sql } from 'kysely';
import { z } from 'zod';
import { type DatabasePool, type OrgTransaction, withOrg } from '../db/index.ts';
import { ok } from '../kernel/index.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { type CandidatesAsked, pageOf, type SearchCandidates } from './search-candidates.ts';

export type PostgresCandidatesDeps = {
  readonly pool: DatabasePool;
  /** Its data holds the built-in roles, whose permissions name actions too. */
  readonly engine: Pick<PolicyEngine, 'data'>;
};

/**
 * Subjects an organization has, resources it has registered, and the actions that it or a role names for the type.
 * In the order of bytes, whatever order the database was made with: a page must go on where the last one ended.
 */
export function postgresSearchCandidates({ pool, engine }: PostgresCandidatesDeps): SearchCandidates {
  return {
    list: async (asked) => {
      const { question, organizationId } = asked;
      const { type } = question.search === 'subject' ? question.subject : question.resource;
      // NUL is refused by the database, and half a surrogate pair replaced: nothing of such a type is in it.
      if (type.includes('\0') || !type.isWellFormed()) return ok([]);
      return ok(await withOrg(pool, organizationId, (tx) => listByKind(tx, asked, engine)));
    },
  };
}

async function listByKind(
  tx: OrgTransaction,
  asked: CandidatesAsked,
  engine: Pick<PolicyEngine, 'data'>,
): Promise<readonly string[]> {
  const { question } = asked;
  switch (question.search) {
    case 'subject':
      return listSubjects(tx, question.subject.type, asked);
    case 'resource':
      return listResources(tx, question.resource.type, asked);
    case 'action':
      return pageOf(await listActions(tx, question.resource.type, rolesOf(engine.data())), asked);
  }
}

/** Where the subjects of a type are: all of them, since who is disabled is for the policy to judge. */
const subjectTables = {
  user: { table: 'membership', id: 'user_id' },
  service_account: { table: 'service_account', id: 'service_account_id' },
  group: { table: 'user_group', id: 'group_id' },
  api_key: { table: 'api_key', id: 'key_id' },
} as const;

async function listSubjects(
  tx: OrgTransaction,
  type: string,
  { organizationId, after, countMax }: CandidatesAsked,
): Promise<readonly string[]> {
  const place = Object.entries(subjectTables).find(([name]) => name === type)?.[1];
  if (place === undefined) return [];
  const id = sql<string>`${sql.ref(place.id)} collate "C"`;
  const { rows } = await sql<{ id: string }>`
    select ${id} as id from ${sql.table(place.table)}
     where org_id = ${organizationId} and ${id} > ${after} order by ${id} limit ${countMax}`.execute(tx);
  return rows.map((row) => row.id);
}

async function listResources(
  tx: OrgTransaction,
  type: string,
  { organizationId, after, countMax }: CandidatesAsked,
): Promise<readonly string[]> {
  const id = sql<string>`resource_id collate "C"`;
  const rows = await tx
    .selectFrom('resource')
    .select('resource_id')
    .where('org_id', '=', organizationId)
    .where('resource_type', '=', type)
    .where(id, '>', after)
    .orderBy(id)
    .limit(countMax)
    .execute();
  return rows.map((row) => row.resource_id);
}

async function listActions(
  tx: OrgTransaction,
  type: string,
  builtIn: readonly string[],
): Promise<readonly string[]> {
  const registered = await tx
    .selectFrom('resource_type')
    .select('actions')
    .where('name', '=', type)
    .execute();
  const roles = await tx.selectFrom('role').select('permissions').execute();
  const permissions = [...builtIn, ...roles.flatMap((role) => role.permissions)];
  const named = permissions.flatMap((permission) => {
    const [of, action = '*'] = permission.split(':');
    return action !== '*' && (of === '*' || of === type) ? [action] : [];
  });
  return [...new Set([...registered.flatMap(({ actions }) => actions), ...named])].sort();
}

const dataSchema = z.object({ roles: z.record(z.string(), z.object({ permissions: z.array(z.string()) })) });

/** Permissions of the built-in roles; a bundle of one's own may have none. */
function rolesOf(data: unknown): readonly string[] {
  const parsed = dataSchema.safeParse(data);
  return parsed.success ? Object.values(parsed.data.roles).flatMap(({ permissions }) => permissions) : [];
}
