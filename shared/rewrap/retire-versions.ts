import { withOrg, withSystem } from '../db/index.ts';
import { invariant, secondsAfter } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { StoredDataKey } from '../secret/index.ts';
import { type DataKeyRotation, walking } from './data-key-rotation.ts';
import { actor } from './rewrap-actor.ts';
import type { RewrapDeps } from './rewrap-deps.ts';
import { saveRotation, saveWithin } from './save-rotation.ts';
import { rotatedOf } from './sealed-column.ts';
import { countRows } from './walk-rows.ts';

/**
 * Destroys the old versions when no row has needed them for the grace time. The database refuses while one does: then
 * what can be sealed anew is, having been written by a process that did not know better, and the rest is waited for.
 */
export async function retireVersions(deps: RewrapDeps, rotation: DataKeyRotation): Promise<DataKeyRotation> {
  const { purpose, targetVersion: below, settledAt } = rotation;
  invariant(below !== undefined && settledAt !== undefined, `rotation ${rotation.id} has settled`);
  const { keptVersions: kept, outsideSeconds } = rotatedOf(purpose);
  const now = deps.clock.now();
  if (now < secondsAfter(settledAt, Math.max(deps.policy.graceSeconds, outsideSeconds))) return rotation;
  const known = await withSystem(deps.pool, (tx) => deps.keys.list(tx, purpose));
  const old = known.filter(({ version }) => version < below && !kept.includes(version));
  const { isAll, saved } = await withOrg(deps.pool, platformOrganizationId, async (tx) => {
    const destroyed = await deps.keys.destroy(tx, { purpose, below, kept });
    const isEnd = destroyed.length === old.length;
    const change = isEnd ? ({ status: 'finished', finishedAt: now } as const) : {};
    const events = old.filter(({ version }) => destroyed.includes(version)).map(toDestroyed);
    return { isAll: isEnd, saved: await saveWithin(deps, tx, { rotation, change, events }) };
  });
  return isAll ? saved : lookAgain(deps, saved);
}

async function lookAgain(deps: RewrapDeps, rotation: DataKeyRotation): Promise<DataKeyRotation> {
  const left = await countRows(deps, rotation);
  const change = left > rotation.rowsUnreadable ? walking : { settledAt: deps.clock.now() };
  return saveRotation(deps, rotation, change);
}

function toDestroyed(key: StoredDataKey) {
  return {
    type: 'uos.data-key.destroyed.v1',
    subject: key.dataKeyId,
    actor,
    data: { purpose: key.purpose, version: key.version },
  } as const;
}
