import { withOrg } from '../db/index.ts';
import { invariant, secondsAfter, type WorkSlice } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { openKeyRing } from '../secret/index.ts';
import type { DataKeyRotation } from './data-key-rotation.ts';
import { type Resealed, type ResealInput, resealRows, within } from './reseal-rows.ts';
import type { RewrapDeps } from './rewrap-deps.ts';
import { saveRotation } from './save-rotation.ts';
import { platformScope, rotatedOf } from './sealed-column.ts';
import type { OrganizationPage } from './sealed-row-store.ts';

const organizationsOfPage = 1_000;
const saveEverySeconds = 2;

type Walk = Pick<ResealInput, 'ring' | 'below' | 'slice' | 'batchRows'>;

/**
 * Seals the rows of a rotation anew, from where the last slice ended, and settles it at the end. The position only
 * saves time: what has an old version is asked of the database, so nothing depends on it, and a walk that is lost is
 * taken up again.
 */
export async function walkRows(
  deps: RewrapDeps,
  rotation: DataKeyRotation,
  slice: WorkSlice,
): Promise<DataKeyRotation> {
  const { purpose, targetVersion: below } = rotation;
  invariant(below !== undefined, `rotation ${rotation.id} has a version to go to`);
  const ring = await openKeyRing({ ...deps, store: deps.keys }, purpose);
  const walk = { ring, below, slice, batchRows: deps.policy.batchRows };
  let now = rotation.position === '' ? await walkShared(deps, rotation, walk) : rotation;
  while (!slice.isOver()) {
    const page = await withOrg(deps.pool, platformOrganizationId, (tx) =>
      deps.rows.listOrganizations(tx, {
        purpose,
        below,
        after: now.position,
        organizationsMax: organizationsOfPage,
      }),
    );
    if (page.lookedUntil === undefined)
      return saveRotation(deps, now, { status: 'retiring', settledAt: deps.clock.now() });
    now = await walkOrganizations(deps, { rotation: now, organizations: page.organizations }, walk);
    if (!slice.isOver()) now = await saveRotation(deps, now, { position: page.lookedUntil });
  }
  return saveRotation(deps, now);
}

/** How many rows are left to be sealed anew. */
export async function countRows(deps: RewrapDeps, rotation: DataKeyRotation): Promise<number> {
  const { purpose, targetVersion: below = 0 } = rotation;
  let total = 0;
  for (const column of sharedColumns(rotation)) {
    const place = { column, organizationId: platformScope };
    total += await within(deps.pool, place, (tx) => deps.rows.count(tx, column, below));
  }
  for (let after: string | undefined = ''; after !== undefined; ) {
    const from: string = after;
    const page = await withOrg(deps.pool, platformOrganizationId, (tx) =>
      deps.rows.listOrganizations(tx, { purpose, below, after: from, organizationsMax: organizationsOfPage }),
    );
    total += page.organizations.reduce((sum, { rows }) => sum + rows, 0);
    after = page.lookedUntil;
  }
  return total;
}

/** What belongs to no organization comes first, and once a walk. */
async function walkShared(deps: RewrapDeps, rotation: DataKeyRotation, walk: Walk): Promise<DataKeyRotation> {
  let now: DataKeyRotation = { ...rotation, rowsUnreadable: 0 };
  for (const column of sharedColumns(rotation))
    now = counted(now, await resealRows(deps, { ...walk, column, organizationId: platformScope }));
  return now;
}

async function walkOrganizations(
  deps: RewrapDeps,
  {
    rotation,
    organizations,
  }: { rotation: DataKeyRotation; organizations: OrganizationPage['organizations'] },
  walk: Walk,
): Promise<DataKeyRotation> {
  let now = rotation;
  for (const organization of organizations) {
    now = counted(now, await walkOrganization(deps, { rotation, organization }, walk));
    // Perhaps with rows of this organization left: the next slice begins with it.
    if (walk.slice.isOver()) break;
    now = { ...now, position: organization.id };
    if (deps.clock.now() >= secondsAfter(now.updatedAt, saveEverySeconds))
      now = await saveRotation(deps, now);
  }
  return now;
}

/** Column after column, until as many rows are done as were found: most have a single secret. */
async function walkOrganization(
  deps: RewrapDeps,
  { rotation, organization }: { rotation: DataKeyRotation; organization: { id: string; rows: number } },
  walk: Walk,
): Promise<Resealed> {
  let total: Resealed = { done: 0, unreadable: 0 };
  for (const column of rotatedOf(rotation.purpose).columns) {
    if (column.scope !== 'organization' || total.done >= organization.rows) continue;
    const { done, unreadable } = await resealRows(deps, { ...walk, column, organizationId: organization.id });
    total = { done: total.done + done, unreadable: total.unreadable + unreadable };
  }
  return total;
}

function sharedColumns({ purpose }: DataKeyRotation) {
  return rotatedOf(purpose).columns.filter(({ scope }) => scope !== 'organization');
}

function counted(rotation: DataKeyRotation, { done, unreadable }: Resealed): DataKeyRotation {
  const { rowsDone, rowsUnreadable } = rotation;
  return { ...rotation, rowsDone: rowsDone + done, rowsUnreadable: rowsUnreadable + unreadable };
}
