import type { OrgTransaction } from '../db/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { Resource } from './resource.ts';
import type { ResourceFailure } from './resource-failure.ts';
import type { ResourceStore } from './resource-store.ts';

type ReferenceFailure = Extract<
  ResourceFailure,
  { code: 'resource.team_unknown' | 'resource.owner_unknown' }
>;

/** A team or an owner that does not exist would match nothing, and be noticed when somebody is refused. */
export async function checkReferences(
  store: ResourceStore,
  tx: OrgTransaction,
  { team, owner }: Pick<Resource, 'team' | 'owner'>,
): Promise<Result<undefined, ReferenceFailure>> {
  if (team !== undefined && !(await store.hasTeam(tx, team)))
    return fail({ code: 'resource.team_unknown', team });
  if (owner !== undefined && !(await store.hasOwner(tx, owner)))
    return fail({ code: 'resource.owner_unknown', owner });
  return ok(undefined);
}
