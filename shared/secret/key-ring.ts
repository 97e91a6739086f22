import { type DatabasePool, withSystem } from '../db/index.ts';
import { type Clock, invariant, type Random, type Result, typeId } from '../kernel/index.ts';
import type { DataKeyStore, StoredDataKey } from './data-key-store.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { keyVersionOf, openBox, type SealedBoxFailure, sealBox } from './sealed-box.ts';

const dataKeyId = typeId('dk');

/** What a data key is for. One purpose never opens what another sealed. */
export type KeyPurpose =
  | 'api-key-pepper'
  | 'signing-key'
  | 'oidc-record'
  | 'git-source'
  | 'idempotency'
  | 'search-page'
  | 'decision-mask'
  | 'personal-data';

export type DataKey = { readonly version: number; readonly bytes: Uint8Array };

/**
 * The data keys of one purpose, unwrapped in memory. `seal` uses the newest version, `open` whichever a box names;
 * a version made by another process since is fetched once.
 */
export type KeyRing = {
  current(): DataKey;
  find(version: number): Promise<DataKey | undefined>;
  seal(plaintext: Uint8Array | string, context: string): Buffer;
  open(box: Uint8Array, context: string): Promise<Result<Buffer, SealedBoxFailure>>;
};

export type KeyRingDeps = {
  readonly pool: DatabasePool;
  readonly store: DataKeyStore;
  readonly wrapper: KeyWrapper;
  readonly clock: Clock;
  readonly random: Random;
};

/** Opens the ring of a purpose, making its first data key when there is none; safe when many processes start at once. */
export async function openKeyRing(deps: KeyRingDeps, purpose: KeyPurpose): Promise<KeyRing> {
  let keys = await load(deps, purpose);
  if (keys.length === 0) {
    await addFirst(deps, purpose);
    keys = await load(deps, purpose);
  }
  const current = (): DataKey => {
    const newest = keys.at(-1);
    invariant(newest, `no data key for ${purpose}`);
    return newest;
  };
  const find = async (version: number): Promise<DataKey | undefined> => {
    const known = keys.find((key) => key.version === version);
    if (known !== undefined || version < current().version) return known;
    keys = await load(deps, purpose);
    return keys.find((key) => key.version === version);
  };
  return {
    current,
    find,
    seal: (plaintext, context) => {
      const { bytes, version } = current();
      return sealBox({
        key: bytes,
        keyVersion: version,
        context: bound(purpose, context),
        plaintext: Buffer.from(plaintext),
        random: deps.random,
      });
    },
    open: async (box, context) => {
      const version = keyVersionOf(box);
      if (!version.ok) return version;
      const key = await find(version.value);
      if (key === undefined) return { ok: false, failure: { code: 'sealed_box.unreadable' } };
      return openBox({ key: key.bytes, context: bound(purpose, context), box });
    },
  };
}

async function load(deps: KeyRingDeps, purpose: KeyPurpose): Promise<DataKey[]> {
  const stored = await withSystem(deps.pool, (tx) => deps.store.list(tx, purpose));
  // Unwrapping may be a call to another service: outside the transaction.
  return Promise.all(
    stored.map(async (key) => {
      const unwrapped = await deps.wrapper.unwrap(key.wrappedKey, wrapContext(key));
      if (!unwrapped.ok) throw new Error(`Data key ${key.dataKeyId} is lost: ${unwrapped.failure.reason}`);
      return { version: key.version, bytes: unwrapped.value };
    }),
  );
}

async function addFirst(deps: KeyRingDeps, purpose: KeyPurpose): Promise<void> {
  const draft = { dataKeyId: dataKeyId.create(deps), purpose, version: 1 };
  const { bytes, wrappingKeyId } = await deps.wrapper.wrap(deps.random.bytes(32), wrapContext(draft));
  const key = { ...draft, wrappedKey: bytes, wrappingKeyId, createdAt: deps.clock.now() };
  await withSystem(deps.pool, (tx) => deps.store.add(tx, key));
}

function wrapContext(key: Pick<StoredDataKey, 'dataKeyId' | 'purpose' | 'version'>): string {
  return `data-key:${key.purpose}:${key.version}:${key.dataKeyId}`;
}

function bound(purpose: KeyPurpose, context: string): string {
  return `${purpose}:${context}`;
}
