import { type DatabasePool, releaseLease, takeLease, withOrg } from '../db/index.ts';
import { invariant, type Random } from '../kernel/index.ts';
import type { ObjectStore } from '../object-store/index.ts';
import {
  encodeEntryBundle,
  formatTilePath,
  hashBytes,
  type TileReference,
  tilesOfTree,
  tileWidth,
} from '../tlog/index.ts';
import { type AuditLog, type LogName, objectPrefixOf } from './audit-log.ts';
import type { AuditLogStore } from './audit-log-store.ts';

export type PublishLogDeps = {
  readonly pool: DatabasePool;
  readonly store: AuditLogStore;
  readonly objects: ObjectStore;
  readonly random: Random;
};

const leaseSeconds = 30;
const bytesType = { contentType: 'application/octet-stream' };
const textType = { contentType: 'text/plain; charset=utf-8' };

/**
 * Brings the files of a log up to its head: bundles and tiles first, the checkpoint that needs them last, and only
 * then `publishedSize`. Every file follows from rows that are never changed, so after a crash anywhere the next call
 * writes the same bytes again. False, and nothing done, while somebody else publishes the log.
 */
export async function publishLog(deps: PublishLogDeps, name: LogName): Promise<boolean> {
  const wanted = leaseOf(deps, name);
  let lease = await takeLease(deps.pool, wanted);
  if (lease === undefined) return false;
  const renew = async () => {
    lease = await takeLease(deps.pool, wanted);
    if (lease === undefined) throw new Error(`The lease ${wanted.name} passed to another publisher`);
  };
  try {
    let step = await publishHead(deps, { name, renew, isOvertaken: false });
    while (step !== 'current') {
      await renew();
      step = await publishHead(deps, { name, renew, isOvertaken: step === 'overtaken' });
    }
    return true;
  } finally {
    if (lease !== undefined) await releaseLease(deps.pool, lease);
  }
}

/**
 * `overtaken`: somebody published this log after our lease had run out. Our checkpoint may have replaced theirs, so
 * the newest is written once more.
 */
type Step = 'current' | 'advanced' | 'overtaken';

async function publishHead(
  deps: PublishLogDeps,
  { name, renew, isOvertaken }: { name: LogName; renew: () => Promise<void>; isOvertaken: boolean },
): Promise<Step> {
  const log = await withOrg(deps.pool, name.organizationId, (tx) => deps.store.find(tx, name.day));
  if (log === undefined || (log.publishedSize === log.size && !isOvertaken)) return 'current';
  const tiles = tilesAfter(log.publishedSize, log.size);
  for (const [at, tile] of tiles.entries()) {
    if (at % 64 === 63) await renew();
    await putTile(deps, log, tile);
  }
  await deps.objects.put(`${objectPrefixOf(log)}checkpoint`, Buffer.from(log.checkpoint), textType);
  const step = { day: log.day, from: log.publishedSize, to: log.size };
  const hasAdvanced = await withOrg(deps.pool, log.organizationId, (tx) =>
    deps.store.advancePublished(tx, step),
  );
  if (!hasAdvanced) return 'overtaken';
  // Last, since a store may forbid it: a log that was not tidied is as good, and published all the same.
  await removePartials(deps, log, tiles);
  return 'advanced';
}

/** Tiles that a tree of `size` entries has and one of `publishedSize` had not, or had narrower. */
function tilesAfter(publishedSize: number, size: number): TileReference[] {
  return [...tilesOfTree(size)].filter(
    ({ level, index, width }) => index * tileWidth + width > Math.floor(publishedSize / tileWidth ** level),
  );
}

async function putTile(deps: PublishLogDeps, log: AuditLog, tile: TileReference): Promise<void> {
  const from = tile.index * tileWidth;
  const [[stored], entries] = await withOrg(deps.pool, log.organizationId, async (tx) => [
    await deps.store.findTiles(tx, log.day, [tile]),
    tile.level > 0 ? [] : await deps.store.listEntries(tx, log.day, { from, to: from + tile.width }),
  ]);
  // The row may have grown past the head that is being published.
  const hashes = stored?.hashes.subarray(0, tile.width * hashBytes);
  invariant(
    hashes?.byteLength === tile.width * hashBytes,
    `${log.origin} lost a tile ${formatTilePath(tile)}`,
  );
  if (tile.level === 0) {
    const bundle = encodeEntryBundle(entries.map((entry) => Buffer.from(entry.leaf)));
    invariant(bundle.ok && entries.length === tile.width, `${log.origin} lost entries after ${from}`);
    await put(deps, log, formatTilePath({ ...tile, level: 'entries' }), bundle.value);
  }
  await put(deps, log, formatTilePath(tile), hashes);
}

async function put(deps: PublishLogDeps, log: AuditLog, path: string, bytes: Uint8Array): Promise<void> {
  await deps.objects.put(objectPrefixOf(log) + path, bytes, bytesType);
}

/** c2sp.org/tlog-tiles, "Partial tiles": they may go once the full tile exists; else each would stay 255 times. */
async function removePartials(deps: PublishLogDeps, log: AuditLog, tiles: readonly TileReference[]) {
  for (const tile of tiles.filter(({ width }) => width === tileWidth)) {
    const levels = tile.level === 0 ? ([0, 'entries'] as const) : ([tile.level] as const);
    for (const level of levels) {
      const { keys } = await deps.objects.list(
        `${objectPrefixOf(log)}${formatTilePath({ ...tile, level })}.p/`,
      );
      for (const key of keys) await deps.objects.delete(key);
    }
  }
}

function leaseOf({ random }: PublishLogDeps, log: LogName) {
  const holder = Buffer.from(random.bytes(12)).toString('hex');
  return { name: `audit-log-publish:${log.organizationId}:${log.day}`, holder, ttlSeconds: leaseSeconds };
}
