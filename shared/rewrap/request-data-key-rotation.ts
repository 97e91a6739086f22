import { type DatabasePool, withOrg } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, type Fail, fail, ok, type Random, type Result } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { type DataKeyRotation, dataKeyRotationId } from './data-key-rotation.ts';
import type { DataKeyRotationStore } from './data-key-rotation-store.ts';
import type { RotatedPurpose } from './sealed-column.ts';

export type RequestDataKeyRotationDeps = {
  readonly pool: DatabasePool;
  readonly rotations: DataKeyRotationStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
};

export type DataKeyRotationFailure = {
  readonly code: 'data_key_rotation.already_open';
  readonly purpose: RotatedPurpose;
};

/**
 * Asks for a successor of a purpose's data key. The row is the request; the event only wakes `key-rotation` sooner.
 * One that only retires, perhaps for ever since a row does not open, is superseded: a key that leaks must go.
 */
export async function requestDataKeyRotation(
  deps: RequestDataKeyRotationDeps,
  input: { purpose: RotatedPurpose; actor: Actor },
): Promise<Result<DataKeyRotation, DataKeyRotationFailure>> {
  const { purpose, actor } = input;
  const rotation = createRotation(deps, input);
  return withOrg(
    deps.pool,
    platformOrganizationId,
    async (tx): Promise<Result<DataKeyRotation, DataKeyRotationFailure>> => {
      if (!(await deps.rotations.add(tx, rotation))) return alreadyOpen(purpose);
      await deps.events.record(tx, platformOrganizationId, {
        type: 'uos.data-key.rotation-requested.v1',
        subject: rotation.id,
        actor,
        data: { purpose },
        alsoTopics: ['key-rotation.requested'],
      });
      return ok(rotation);
    },
  );
}

function createRotation(
  deps: RequestDataKeyRotationDeps,
  { purpose, actor }: { purpose: RotatedPurpose; actor: Actor },
): DataKeyRotation {
  const now = deps.clock.now();
  return {
    id: dataKeyRotationId.create(deps),
    purpose,
    status: 'requested',
    targetVersion: undefined,
    activeFrom: undefined,
    position: '',
    rowsTotal: 0,
    rowsDone: 0,
    rowsUnreadable: 0,
    requestedBy: actor.id,
    requestedAt: now,
    updatedAt: now,
    settledAt: undefined,
    finishedAt: undefined,
  };
}

function alreadyOpen(purpose: RotatedPurpose): Fail<DataKeyRotationFailure> {
  return fail({ code: 'data_key_rotation.already_open', purpose });
}
