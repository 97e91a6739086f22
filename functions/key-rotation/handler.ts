import { apiKeyUsedType } from '../../shared/api-key-use/index.ts';
import { type FunctionOptions, toEventListener } from '../../shared/http/index.ts';
import { type PruneRecordsDeps, pruneRecords } from './prune-records.ts';
import { type RecordApiKeyUsesDeps, recordApiKeyUses } from './record-api-key-uses.ts';
import { continueRotations, type RewrapKeysDeps, rewrapKeys } from './rewrap-keys.ts';
import { type RotateKeysDeps, rotateKeys } from './rotate-keys.ts';

export type KeyRotationHandlerDeps = RotateKeysDeps &
  PruneRecordsDeps &
  RewrapKeysDeps &
  RecordApiKeyUsesDeps;

/** Requests of one partition wait for each other: a revocation must not wait for a long slice. */
const requestSliceSeconds = 5;

/**
 * The schedule and a request ask the same question, "is it due?". They differ when another run is at work: a tick
 * may be dropped, since the next one comes anyway; a request is put off, since that run may have begun before it.
 */
export function createHandler(deps: KeyRotationHandlerDeps): FunctionOptions['listener'] {
  return toEventListener(deps.logger, {
    'dev.knative.sources.ping': async () => {
      const outcome = await rotateKeys(deps);
      await pruneRecords(deps);
      await rewrapKeys(deps);
      return outcome === 'busy' ? { outcome: 'duplicate' } : { outcome: 'accepted' };
    },
    [apiKeyUsedType]: (event) => recordApiKeyUses(deps, event),
    'uos.signing-key.rotation-requested.v1': async () => {
      const outcome = await rotateKeys(deps);
      return outcome === 'busy'
        ? { outcome: 'transient', detail: 'Another run holds the lease' }
        : { outcome: 'accepted' };
    },
    'uos.data-key.rotation-requested.v1': async () => {
      const policy = { ...deps.rewrap.policy, sliceSeconds: requestSliceSeconds };
      await continueRotations({ ...deps, rewrap: { ...deps.rewrap, policy } });
      return { outcome: 'accepted' };
    },
  });
}
