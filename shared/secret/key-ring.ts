import type { DatabasePool } from '../db/index.ts';
import { type Clock, invariant, type Random, type Result } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { DataKeyStore } from './data-key-store.ts';
import { holdDataKeys } from './held-data-keys.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { keyVersionOf, openBox, type SealedBoxFailure, sealBox } from './sealed-box.ts';

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
 * The data keys of one purpose, unwrapped in memory. `seal` uses the newest version whose time has come, `open`
 * whichever a box names; a version made by another process since is fetched once, however many ask for it.
 *
 * What is sealed is kept, so `seal` first looks for new versions when what is known is older than `refreshSeconds`,
 * as after a time without use: the version it knows may be destroyed by then. So a version that becomes active later
 * than `refreshSeconds` after it was added is known to every process before it seals. `current` and `sealAtOnce` never
 * wait, and may be behind: for what never leaves the process.
 */
export type KeyRing = {
  current(): DataKey;
  find(version: number): Promise<DataKey | undefined>;
  seal(plaintext: Uint8Array | string, context: string): Promise<Buffer>;
  sealAtOnce(plaintext: Uint8Array | string, context: string): Buffer;
  open(box: Uint8Array, context: string): Promise<Result<Buffer, SealedBoxFailure>>;
};

export type KeyRingDeps = {
  /** Of its own where the ring is asked inside transactions: they hold their connections while they wait for it. */
  readonly pool: DatabasePool;
  readonly store: DataKeyStore;
  readonly wrapper: KeyWrapper;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Pick<Logger, 'error'>;
};

/** Opens the ring of a purpose, making its first data key when there is none; safe when many processes start at once. */
export async function openKeyRing(deps: KeyRingDeps, purpose: KeyPurpose): Promise<KeyRing> {
  const held = await holdDataKeys(deps, purpose);
  const sealAtOnce: KeyRing['sealAtOnce'] = (plaintext, context) => {
    const { bytes, version } = newest();
    return sealBox({
      key: bytes,
      keyVersion: version,
      context: bound(purpose, context),
      plaintext: Buffer.from(plaintext),
      random: deps.random,
    });
  };
  function newest(): DataKey {
    const key = held.newest();
    invariant(key, `no data key for ${purpose}`);
    return key;
  }
  return {
    current: () => {
      void held.refresh();
      return newest();
    },
    find: held.find,
    seal: async (plaintext, context) => {
      await held.refresh();
      return sealAtOnce(plaintext, context);
    },
    sealAtOnce,
    open: async (box, context) => {
      const version = keyVersionOf(box);
      if (!version.ok) return version;
      const key = await held.find(version.value);
      if (key === undefined) return { ok: false, failure: { code: 'sealed_box.unreadable' } };
      return openBox({ key: key.bytes, context: bound(purpose, context), box });
    },
  };
}

function bound(purpose: KeyPurpose, context: string): string {
  return `${purpose}:${context}`;
}
