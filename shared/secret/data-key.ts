import { type DatabasePool, withSystem } from '../db/index.ts';
import { type Clock, ok, type Random, type Result, typeId } from '../kernel/index.ts';
import type { DataKeyStore, StoredDataKey } from './data-key-store.ts';
import type { KeyWrapper, WrappedKey, WrappedKeyFailure } from './key-wrapper.ts';

const dataKeyId = typeId('dk');
const keyBytes = 32;

export type DataKeyDeps = {
  readonly pool: DatabasePool;
  readonly store: DataKeyStore;
  readonly wrapper: KeyWrapper;
  readonly clock: Clock;
  readonly random: Random;
};

/** A version that is there already is left as it is: whoever made it first has made it. */
export async function addDataKey(
  deps: DataKeyDeps,
  input: { purpose: string; version: number; activeFrom: Date },
): Promise<void> {
  const key = await createDataKey(deps, input);
  await withSystem(deps.pool, (tx) => deps.store.add(tx, key));
}

/** Made and wrapped, stored nowhere yet. */
export async function createDataKey(
  deps: Omit<DataKeyDeps, 'pool' | 'store'>,
  input: { purpose: string; version: number; activeFrom: Date },
): Promise<StoredDataKey> {
  const draft = { ...input, dataKeyId: dataKeyId.create(deps) };
  const { bytes, wrappingKeyId } = await deps.wrapper.wrap(deps.random.bytes(keyBytes), wrapContext(draft));
  return { ...draft, wrappedKey: bytes, wrappingKeyId, createdAt: deps.clock.now() };
}

/** Where it does not unwrap, whatever it sealed is out of reach until its wrapping key is known again. */
export function unwrapDataKey(
  wrapper: KeyWrapper,
  key: StoredDataKey,
): Promise<Result<Uint8Array, WrappedKeyFailure>> {
  return wrapper.unwrap(key.wrappedKey, wrapContext(key));
}

/** The same key under the wrapping key of now. */
export async function wrapDataKeyAnew(
  wrapper: KeyWrapper,
  key: StoredDataKey,
): Promise<Result<WrappedKey, WrappedKeyFailure>> {
  const unwrapped = await unwrapDataKey(wrapper, key);
  return unwrapped.ok ? ok(await wrapper.wrap(unwrapped.value, wrapContext(key))) : unwrapped;
}

function wrapContext(key: Pick<StoredDataKey, 'dataKeyId' | 'purpose' | 'version'>): string {
  return `data-key:${key.purpose}:${key.version}:${key.dataKeyId}`;
}
