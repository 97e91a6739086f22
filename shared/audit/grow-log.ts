import type { OrgTransaction } from '../db/index.ts';
import { type CloudEvent, toLeaf } from '../events/index.ts';
import { invariant } from '../kernel/index.ts';
import {
  appendLeaves,
  createNoteSigner,
  formatVerifierKey,
  type HashTile,
  hashLeaf,
  isSameHash,
  type NoteSigner,
  openCheckpoint,
  rightEdgeTiles,
  rootOf,
  signCheckpoint,
  type VerifierKey,
} from '../tlog/index.ts';
import type { AuditEntry, AuditLog } from './audit-log.ts';
import type { AuditLogDeps } from './audit-log-deps.ts';
import type { GrownLog } from './audit-log-store.ts';

/** The log with these events at its end, signed; nothing is written. The caller holds the organization's lock. */
export async function growLog(
  deps: AuditLogDeps,
  tx: OrgTransaction,
  { log, events }: { log: AuditLog; events: readonly CloudEvent[] },
): Promise<GrownLog> {
  invariant(hasOurKey(deps, log), `log ${log.origin} has another key; keys change at the end of a day`);
  const edge = await deps.store.findTiles(tx, log.day, rightEdgeTiles(log.size));
  const signer = signerOf(deps, log.origin);
  invariant(isAsSigned(log, edge, signer.verifierKey), `the rows of ${log.origin} are not what was signed`);
  const entries = events.map((event, at) => toEntry(event, log.size + at));
  const leafHashes = entries.map((entry) => entry.leafHash);
  const { size, root, changed } = appendLeaves({ size: log.size, tiles: edge, leafHashes });
  const checkpoint = await signCheckpoint({ size, root }, signer);
  return { log: { ...log, size, root, checkpoint }, entries, tiles: changed };
}

/** Who changes the rows cannot sign them; our next signature must not do it for him. */
function isAsSigned(log: AuditLog, edge: readonly HashTile[], key: VerifierKey): boolean {
  if (log.size === 0) return true;
  const head = openCheckpoint(Buffer.from(log.checkpoint), key);
  const isHead = head.ok && head.value.size === log.size && isSameHash(head.value.root, log.root);
  return isHead && isSameHash(rootOf({ size: log.size, tiles: edge }), log.root);
}

export function signerOf({ signingKey }: AuditLogDeps, origin: string): NoteSigner {
  return createNoteSigner({ name: origin, privateKey: signingKey });
}

/** False for a log that was begun before the signing key was replaced. */
export function hasOurKey(deps: AuditLogDeps, log: AuditLog): boolean {
  return formatVerifierKey(signerOf(deps, log.origin).verifierKey) === log.verifierKey;
}

function toEntry(event: CloudEvent, index: number): AuditEntry {
  const leaf = toLeaf(event);
  const leafHash = hashLeaf(Buffer.from(leaf));
  return { index, source: event.source, eventId: event.id, leaf, leafHash, occurredAt: new Date(event.time) };
}
