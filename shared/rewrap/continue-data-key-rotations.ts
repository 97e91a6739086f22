import { releaseLease, takeLease, withOrg } from '../db/index.ts';
import { fail, ok, type Result, startWorkSlice, typeId } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { advanceRotation } from './advance-rotation.ts';
import type { DataKeyRotation } from './data-key-rotation.ts';
import type { RewrapDeps } from './rewrap-deps.ts';

const runId = typeId('run');
const leaseName = 'data-key-rotation';
/** Beyond the slice: for the batch that is under way when it ends. */
const marginSeconds = 30;

/** `failed`: those that could not be taken further now; the next call tries again. */
export type AdvancedRotations = {
  readonly advanced: readonly DataKeyRotation[];
  readonly failed: readonly { readonly rotation: DataKeyRotation; readonly cause: unknown }[];
};

export type RewrapBusy = { readonly code: 'data_key_rotation.busy' };

/**
 * Takes every open rotation as far as one slice of time allows, each whether or not the others can. What is due is read from the database, so a lost, late
 * or doubled call changes nothing; the lease keeps two runs from doing the same work, which would be waste and no harm.
 */
export async function continueDataKeyRotations(
  deps: RewrapDeps,
): Promise<Result<AdvancedRotations, RewrapBusy>> {
  const ttlSeconds = deps.policy.sliceSeconds + marginSeconds;
  const lease = await takeLease(deps.pool, { name: leaseName, holder: runId.create(deps), ttlSeconds });
  if (lease === undefined) return fail({ code: 'data_key_rotation.busy' });
  try {
    return ok(await continueAll(deps));
  } finally {
    await releaseLease(deps.pool, lease);
  }
}

async function continueAll(deps: RewrapDeps): Promise<AdvancedRotations> {
  const open = await withOrg(deps.pool, platformOrganizationId, (tx) => deps.rotations.listOpen(tx));
  const slice = startWorkSlice(deps.clock, deps.policy.sliceSeconds);
  const advanced: DataKeyRotation[] = [];
  const failed: { rotation: DataKeyRotation; cause: unknown }[] = [];
  for (const rotation of open) {
    if (slice.isOver()) break;
    await advanceRotation(deps, rotation, slice).then(
      (next) => advanced.push(next),
      (cause: unknown) => failed.push({ rotation, cause }),
    );
  }
  return { advanced, failed };
}
