import { type DatabasePool, withOrg } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, type Random, typeId } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { RotationRequest, SigningKeyStore } from './signing-key-store.ts';

export type RequestRotationDeps = {
  readonly pool: DatabasePool;
  readonly store: SigningKeyStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
};

const requestId = typeId('rotreq');

/**
 * Asks for a new signing key. The row is the request; the event only wakes `key-rotation` sooner, so a lost or
 * repeated event neither loses nor repeats the rotation. It is made at the time of the database, whose clock decides
 * which keys are newer: by another clock it could be answered by a key that was there before.
 */
export async function requestRotation(
  deps: RequestRotationDeps,
  input: { actor: Actor },
): Promise<RotationRequest> {
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    const request: RotationRequest = {
      requestId: requestId.create(deps),
      requestedBy: input.actor.id,
      requestedAt: await deps.store.now(tx),
    };
    await deps.store.addRequest(tx, request);
    await deps.events.record(tx, platformOrganizationId, {
      type: 'uos.signing-key.rotation-requested.v1',
      subject: request.requestId,
      actor: input.actor,
      data: { requestId: request.requestId },
      alsoTopics: ['key-rotation.requested'],
    });
    return request;
  });
}
