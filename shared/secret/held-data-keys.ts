import { withSystem } from '../db/index.ts';
import { secondsAfter } from '../kernel/index.ts';
import { addDataKey, unwrapDataKey } from './data-key.ts';
import type { StoredDataKey } from './data-key-store.ts';
import type { DataKey, KeyPurpose, KeyRingDeps } from './key-ring.ts';

/** How old the knowledge of a ring in use may be. */
export const refreshSeconds = 60;
/** After a look that failed. */
const retrySeconds = 5;

type HeldKey = DataKey & { readonly activeFrom: Date };

export type HeldDataKeys = {
  /** The newest whose time has come. */
  newest(): DataKey | undefined;
  /** Looks for new versions when what is known is too old; one look serves all who ask meanwhile. Never fails. */
  refresh(): Promise<void>;
  find(version: number): Promise<DataKey | undefined>;
};

/** The data keys of a purpose as this process knows them. Throws unless the version that seals now unwraps. */
export async function holdDataKeys(deps: KeyRingDeps, purpose: KeyPurpose): Promise<HeldDataKeys> {
  let keys = await loadFirst(deps, purpose);
  let refreshAt = secondsAfter(deps.clock.now(), refreshSeconds);
  let pending: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const startedAt = deps.clock.now();
    // Should it fail, what is held goes on serving.
    refreshAt = secondsAfter(startedAt, retrySeconds);
    const { added } = await load(deps, purpose, keys);
    // What was known stays known: a row that was read before its new seal must open after it.
    keys = inOrder([...keys, ...added]);
    refreshAt = secondsAfter(startedAt, refreshSeconds);
  };
  const reload = (): Promise<void> => {
    pending ??= look().finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const known = (version: number) => keys.find((key) => key.version === version);
  return {
    newest: () => newestOf(keys, deps.clock.now()),
    refresh: async () => {
      if (pending === undefined && deps.clock.now() < refreshAt) return;
      await reload().catch((error: unknown) =>
        deps.logger?.error({ error, purpose }, 'New data keys were not looked for'),
      );
    },
    find: async (version) => {
      const isOld = version < (keys.at(-1)?.version ?? 0);
      if (known(version) !== undefined || isOld) return known(version);
      // A look that is under way may have begun before the version was there.
      if (pending !== undefined) await pending;
      if (known(version) === undefined) await reload();
      return known(version);
    },
  };
}

async function loadFirst(deps: KeyRingDeps, purpose: KeyPurpose): Promise<HeldKey[]> {
  const first = await load(deps, purpose, []);
  if (first.stored.length > 0) return requireNewest(deps, first);
  await addDataKey(deps, { purpose, version: 1, activeFrom: deps.clock.now() });
  return requireNewest(deps, await load(deps, purpose, []));
}

/** An older version that is lost says so when something sealed with it is opened; who seals must have the newest. */
function requireNewest(deps: KeyRingDeps, { stored, added }: Loaded): HeldKey[] {
  const version = newestOf(stored, deps.clock.now())?.version;
  if (added.every((key) => key.version !== version))
    throw new Error(
      `The data key of ${stored[0]?.purpose} that seals now, version ${version}, does not unwrap`,
    );
  return inOrder(added);
}

type Loaded = { readonly stored: readonly StoredDataKey[]; readonly added: readonly HeldKey[] };

async function load(deps: KeyRingDeps, purpose: KeyPurpose, known: readonly HeldKey[]): Promise<Loaded> {
  const stored = await withSystem(deps.pool, (tx) => deps.store.list(tx, purpose));
  // Unwrapping may be a call to another service: outside the transaction, and for new versions alone.
  const unknown = stored.filter(({ version }) => known.every((key) => key.version !== version));
  const unwrapped = await Promise.all(unknown.map((key) => unwrap(deps, key)));
  return { stored, added: unwrapped.filter((key) => key !== undefined) };
}

async function unwrap(deps: KeyRingDeps, key: StoredDataKey): Promise<HeldKey | undefined> {
  const { dataKeyId, purpose, version, activeFrom } = key;
  const unwrapped = await unwrapDataKey(deps.wrapper, key);
  if (unwrapped.ok) return { version, activeFrom, bytes: unwrapped.value };
  const { reason } = unwrapped.failure;
  deps.logger?.error({ dataKeyId, purpose, version, reason }, 'A data key does not unwrap');
  return undefined;
}

/** Of what is in order, where the clock of who made the first may be ahead of ours. */
function newestOf<Key extends Pick<StoredDataKey, 'version' | 'activeFrom'>>(
  keys: readonly Key[],
  now: Date,
): Key | undefined {
  return keys.findLast((key) => key.activeFrom <= now) ?? keys[0];
}

function inOrder(keys: readonly HeldKey[]): HeldKey[] {
  return keys.toSorted((a, b) => a.version - b.version);
}
