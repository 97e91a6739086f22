import { type DatabasePool, withSystem } from '../db/index.ts';
import { type Clock, invariant, type Random, type Result, secondsAfter } from '../kernel/index.ts';
import { addDataKey, unwrapDataKey } from './data-key.ts';
import type { DataKeyStore } from './data-key-store.ts';
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
 * whichever a box names; a version made by another process since is fetched once. A ring that is used looks for new
 * versions every `refreshSeconds`, so a version that becomes active later than that after it was added is known to
 * every process before it seals.
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

/** How old the knowledge of a ring in use may be. */
export const refreshSeconds = 60;

type HeldKey = DataKey & { readonly activeFrom: Date };

/** Opens the ring of a purpose, making its first data key when there is none; safe when many processes start at once. */
export async function openKeyRing(deps: KeyRingDeps, purpose: KeyPurpose): Promise<KeyRing> {
  let keys = await load(deps, purpose, []);
  if (keys.length === 0) {
    await addDataKey(deps, { purpose, version: 1, activeFrom: deps.clock.now() });
    keys = await load(deps, purpose, []);
  }
  let refreshAt = secondsAfter(deps.clock.now(), refreshSeconds);
  const reload = async (): Promise<void> => {
    keys = await load(deps, purpose, keys);
  };
  const current = (): DataKey => {
    const now = deps.clock.now();
    if (now >= refreshAt) {
      refreshAt = secondsAfter(now, refreshSeconds);
      // Should it fail, what is held goes on serving, and the next look is due as usual.
      reload().catch(() => undefined);
    }
    const newest = keys.findLast((key) => key.activeFrom <= now) ?? keys[0];
    invariant(newest, `no data key for ${purpose}`);
    return newest;
  };
  const find = async (version: number): Promise<DataKey | undefined> => {
    const known = keys.find((key) => key.version === version);
    if (known !== undefined || version < (keys.at(-1)?.version ?? 0)) return known;
    await reload();
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

/** Oldest first. What was known stays known: a row that was read before its new seal must open after it. */
async function load(deps: KeyRingDeps, purpose: KeyPurpose, known: readonly HeldKey[]): Promise<HeldKey[]> {
  const stored = await withSystem(deps.pool, (tx) => deps.store.list(tx, purpose));
  // Unwrapping may be a call to another service: outside the transaction, and for new versions alone.
  const unknown = stored.filter(({ version }) => known.every((key) => key.version !== version));
  const added = await Promise.all(
    unknown.map(async (key) => ({
      version: key.version,
      activeFrom: key.activeFrom,
      bytes: await unwrapDataKey(deps.wrapper, key),
    })),
  );
  return [...known, ...added].sort((a, b) => a.version - b.version);
}

function bound(purpose: KeyPurpose, context: string): string {
  return `${purpose}:${context}`;
}
