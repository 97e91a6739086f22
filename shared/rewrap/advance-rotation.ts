import { withOrg, withSystem } from '../db/index.ts';
import { invariant, secondsAfter, type WorkSlice } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { createDataKey } from '../secret/index.ts';
import { type DataKeyRotation, walking } from './data-key-rotation.ts';
import { retireVersions } from './retire-versions.ts';
import { actor } from './rewrap-actor.ts';
import type { RewrapDeps } from './rewrap-deps.ts';
import { saveRotation, saveWithin } from './save-rotation.ts';
import { countRows, walkRows } from './walk-rows.ts';

/** As far as it is due and the slice allows. Every step finds the rotation as the one before left it in the database. */
export async function advanceRotation(
  deps: RewrapDeps,
  rotation: DataKeyRotation,
  slice: WorkSlice,
): Promise<DataKeyRotation> {
  const next = await advanceOnce(deps, rotation, slice);
  return next.status === rotation.status || slice.isOver() ? next : advanceRotation(deps, next, slice);
}

async function advanceOnce(
  deps: RewrapDeps,
  rotation: DataKeyRotation,
  slice: WorkSlice,
): Promise<DataKeyRotation> {
  switch (rotation.status) {
    case 'requested':
      return addVersion(deps, rotation);
    case 'waiting':
      return begin(deps, rotation);
    case 'resealing':
      return walkRows(deps, rotation, slice);
    case 'retiring':
      return retireVersions(deps, rotation);
    case 'finished':
    case 'superseded':
      return rotation;
  }
}

/** The new version opens at once and seals later: a process that has not heard of it yet must not meet its boxes. */
async function addVersion(deps: RewrapDeps, rotation: DataKeyRotation): Promise<DataKeyRotation> {
  const { purpose } = rotation;
  const known = await withSystem(deps.pool, (tx) => deps.keys.list(tx, purpose));
  const version = (known.at(-1)?.version ?? 0) + 1;
  const activeFrom = secondsAfter(deps.clock.now(), known.length === 0 ? 0 : deps.policy.leadSeconds);
  const key = await createDataKey(deps, { purpose, version, activeFrom });
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    invariant(await deps.keys.add(tx, key), `version ${version} of ${purpose} is added under the lease`);
    const added = {
      type: 'uos.data-key.added.v1',
      subject: key.dataKeyId,
      actor,
      data: { purpose, version, activeFrom: activeFrom.toISOString() },
    } as const;
    const waiting = { status: 'waiting', targetVersion: version, activeFrom } as const;
    return saveWithin(deps, tx, { rotation, change: waiting, events: [added] });
  });
}

async function begin(deps: RewrapDeps, rotation: DataKeyRotation): Promise<DataKeyRotation> {
  if (rotation.activeFrom === undefined || deps.clock.now() < rotation.activeFrom) return rotation;
  return saveRotation(deps, rotation, { ...walking, rowsTotal: await countRows(deps, rotation) });
}
