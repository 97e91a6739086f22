/**
 * Tamper-evident logs as C2SP describes them: tiled Merkle trees (c2sp.org/tlog-tiles), signed checkpoints
 * (tlog-checkpoint, signed-note) and proofs (tlog-proof) that outsiders check with tools we did not write.
 * No input or output: tiles come from, and go back to, wherever the caller keeps them.
 *
 * Invariants: a stored hash never changes, partial tiles only grow; the same entries give the same tiles however
 * they are split into appends; nothing hostile in a file makes a parser or verifier throw or run on.
 *
 * Append to a log kept as rows of (level, index, hashes), and sign its new head:
 *
 *     const tiles = await store.findTiles(rightEdgeTiles(size));
 *     const grown = appendLeaves({ size, tiles, leafHashes: entries.map(hashLeaf) });
 *     await store.saveTiles(grown.changed); // upsert by (level, index)
 *     const checkpoint = await signCheckpoint(grown, signer);
 *
 * Prove an entry, to whoever checks it with another's tool:
 *
 *     const hashes = await proveInclusion({ index, size, read: (tile) => store.requireTile(tile) });
 *     const proof = formatTlogProof({ index, hashes, checkpoint });
 */
export {
  type Checkpoint,
  type CheckpointFailure,
  type CheckpointMalformed,
  openCheckpoint,
  signCheckpoint,
} from './checkpoint.ts';
export {
  type BundleMalformed,
  decodeEntryBundle,
  type EntryTooLarge,
  encodeEntryBundle,
  entryBytesMax,
} from './entry-bundle.ts';
export { emptyRoot, hashBytes, hashLeaf, hashNode, isSameHash } from './leaf-hash.ts';
export type { LogFailure } from './log-failure.ts';
export { type LogFile, logFiles } from './log-files.ts';
export {
  createNoteSigner,
  type Note,
  type NoteFailure,
  type NoteMalformed,
  type NoteSignature,
  type NoteSigner,
} from './note.ts';
export { proveInclusion, type TileReader } from './proof.ts';
export type { LogReader } from './read-log.ts';
export {
  type HashTile,
  rightEdgeTiles,
  type TilePosition,
  type TileReference,
  tileAt,
  tilesOfTree,
  tileWidth,
} from './tile.ts';
export { formatTilePath, parseTilePath, type TilePath, type TilePathFailure } from './tile-path.ts';
export {
  formatSpicySignature,
  formatTlogProof,
  type TlogProof,
  type TlogProofFailure,
  type TlogProofMalformed,
} from './tlog-proof.ts';
export { type AppendedTree, appendLeaves, rootOf, type TreeEdge, type TreeHead } from './tree.ts';
export {
  createVerifierKey,
  formatVerifierKey,
  parseVerifierKey,
  type VerifierKey,
  type VerifierKeyMalformed,
} from './verifier-key.ts';
export { verifyLog } from './verify-log.ts';
export { verifyInclusion } from './verify-proof.ts';
