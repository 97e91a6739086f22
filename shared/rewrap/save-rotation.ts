import { type OrgTransaction, withOrg } from '../db/index.ts';
import type { DomainEvent } from '../events/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { DataKeyRotation } from './data-key-rotation.ts';
import type { RewrapDeps } from './rewrap-deps.ts';

type SaveDeps = Pick<RewrapDeps, 'clock' | 'rotations' | 'events'>;

/** What becomes of a rotation, as it was read: `change` of it is new. */
type Step = {
  readonly rotation: DataKeyRotation;
  readonly change: Partial<DataKeyRotation>;
  readonly events?: readonly DomainEvent[];
};

/**
 * In the caller's transaction, with what happened to bring it there. Throws when the rotation is not any more as it
 * was read: a run that outlived its lease ends here, and nothing of what it did in this transaction stays.
 */
export async function saveWithin(
  deps: SaveDeps,
  tx: OrgTransaction,
  { rotation, change, events = [] }: Step,
): Promise<DataKeyRotation> {
  const saved = { ...rotation, ...change, updatedAt: deps.clock.now() };
  if (!(await deps.rotations.save(tx, saved, rotation)))
    throw new Error(`Rotation ${rotation.id} was taken further by another run, or superseded`);
  for (const event of events) await deps.events.record(tx, platformOrganizationId, event);
  return saved;
}

/** Progress alone. */
export function saveRotation(
  deps: SaveDeps & Pick<RewrapDeps, 'pool'>,
  rotation: DataKeyRotation,
  change: Partial<DataKeyRotation> = {},
): Promise<DataKeyRotation> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => saveWithin(deps, tx, { rotation, change }));
}
