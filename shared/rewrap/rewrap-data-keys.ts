import { withOrg, withSystem } from '../db/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { type StoredDataKey, type WrappedKey, wrapDataKeyAnew } from '../secret/index.ts';
import { actor } from './rewrap-actor.ts';
import type { RewrapDeps } from './rewrap-deps.ts';

export type RewrapDataKeysDeps = Pick<RewrapDeps, 'pool' | 'wrapper' | 'keys' | 'events'>;

/** `unreadable`: no wrapping key that is known opens them. What they sealed is lost, unless the key comes back. */
export type RewrappedDataKeys = {
  readonly done: readonly StoredDataKey[];
  readonly unreadable: readonly StoredDataKey[];
};

/**
 * Puts every data key under the wrapping key of now; nothing when all are. There are few data keys, each changes in a
 * transaction of its own, and what is left is asked of the database: killed anywhere, the next call does the rest. A
 * data key unwraps the same before and after, so no process notices. One that does not open holds up no other.
 */
export async function rewrapDataKeys(deps: RewrapDataKeysDeps): Promise<RewrappedDataKeys> {
  const wrappingKeyId = await deps.wrapper.currentKeyId();
  const old = await withSystem(deps.pool, (tx) => deps.keys.listWrappedOtherwise(tx, wrappingKeyId));
  const done: StoredDataKey[] = [];
  const unreadable: StoredDataKey[] = [];
  for (const key of old) {
    // A call to another service: outside the transaction.
    const wrapped = await wrapDataKeyAnew(deps.wrapper, key);
    if (!wrapped.ok) unreadable.push(key);
    else if (await replace(deps, key, wrapped.value)) done.push(key);
  }
  return { done, unreadable };
}

async function replace(deps: RewrapDataKeysDeps, key: StoredDataKey, wrapped: WrappedKey): Promise<boolean> {
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    if (!(await deps.keys.replaceWrapped(tx, key, wrapped))) return false;
    await deps.events.record(tx, platformOrganizationId, {
      type: 'uos.data-key.rewrapped.v1',
      subject: key.dataKeyId,
      actor,
      data: { purpose: key.purpose, version: key.version, wrappingKeyId: wrapped.wrappingKeyId },
    });
    return true;
  });
}
