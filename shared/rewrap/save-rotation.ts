import { type OrgTransaction, withOrg } from '../db/index.ts';
import type { DomainEvent } from '../events/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { DataKeyRotation } from './data-key-rotation.ts';
import type { RewrapDeps } from './rewrap-deps.ts';

type SaveDeps = Pick<RewrapDeps, 'clock' | 'rotations' | 'events'>;

/** In the caller's transaction, with what happened to bring it there. */
export async function saveWithin(
  deps: SaveDeps,
  tx: OrgTransaction,
  { rotation, events }: { rotation: DataKeyRotation; events: readonly DomainEvent[] },
): Promise<DataKeyRotation> {
  const saved = { ...rotation, updatedAt: deps.clock.now() };
  await deps.rotations.save(tx, saved);
  for (const event of events) await deps.events.record(tx, platformOrganizationId, event);
  return saved;
}

/** Progress alone. */
export function saveRotation(
  deps: SaveDeps & Pick<RewrapDeps, 'pool'>,
  rotation: DataKeyRotation,
): Promise<DataKeyRotation> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => saveWithin(deps, tx, { rotation, events: [] }));
}
