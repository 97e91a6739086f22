import { fail, ok, type Result } from '../kernel/index.ts';
import { type Checkpoint, type CheckpointFailure, openCheckpoint } from './checkpoint.ts';
import { hashBytes, hashLeaf } from './leaf-hash.ts';
import { noteBytesMax } from './note.ts';
import { parseBase64, parseDecimal, parseUtf8, toBase64 } from './text.ts';
import type { VerifierKey } from './verifier-key.ts';
import { verifyInclusion } from './verify-proof.ts';

/** Everything needed, beside the entry and the log's key, to check offline that the entry is in the log. */
export type TlogProof = {
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note as the log published it. */
  readonly checkpoint: string;
};

export type TlogProofMalformed = { readonly code: 'proof.malformed'; readonly reason: string };
export type TlogProofFailure =
  | TlogProofMalformed
  | CheckpointFailure
  | { readonly code: 'proof.entry_not_included' };

const header = 'c2sp.org/tlog-proof@v1\n';
// A tree of 2^63 entries has paths of 63 hashes.
const hashesMax = 63;
const extraBytesMax = 64 * 1024;
const proofBytesMax = noteBytesMax + extraBytesMax + hashesMax * 45 + 64;

/** c2sp.org/tlog-proof, for a `.tlog-proof` file. */
export function formatTlogProof(proof: TlogProof): string {
  return `${header}${formatSpicySignature(proof)}`;
}

/** The form without the first line, which the `spicy` command reads from a `.spicy` file. */
export function formatSpicySignature({ index, hashes, checkpoint }: TlogProof): string {
  const path = hashes.map((hash) => `${toBase64(hash)}\n`).join('');
  return `index ${index}\n${path}\n${checkpoint}`;
}

/** Checks the form only. Extra data is allowed by the format, authenticated by nothing, and dropped. */
export function parseTlogProof(bytes: Uint8Array): Result<TlogProof, TlogProofMalformed> {
  const text = parseUtf8(bytes, proofBytesMax);
  if (text?.startsWith(header) !== true) return malformed('no tlog-proof header, not UTF-8, or too large');
  const end = text.indexOf('\n\n');
  if (end < 0) return malformed('no checkpoint');
  const lines = text.slice(header.length, Math.max(end, header.length)).split('\n');
  if (lines[0]?.startsWith('extra ') && parseBase64(lines.shift()?.slice(6) ?? '') === undefined) {
    return malformed('the extra data is not base64');
  }
  const [indexLine = '', ...hashLines] = lines;
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice(6)) : undefined;
  if (index === undefined) return malformed('no index');
  const hashes = parseHashes(hashLines);
  return hashes === undefined
    ? malformed('the path is not a list of SHA-256 hashes')
    : ok({ index, hashes, checkpoint: text.slice(end + 2) });
}

/**
 * The checkpoint that covers the entry: signature, origin and path all hold. No function calls it, for a proof is checked
 * by outsiders: it is the other side that tests hold the two formats to where no tool of others is installed.
 */
export function verifyTlogProof(input: {
  readonly proof: Uint8Array;
  readonly entry: Uint8Array;
  readonly key: VerifierKey;
}): Result<Checkpoint, TlogProofFailure> {
  const parsed = parseTlogProof(input.proof);
  if (!parsed.ok) return parsed;
  const { index, hashes, checkpoint } = parsed.value;
  const tree = openCheckpoint(Buffer.from(checkpoint), input.key);
  if (!tree.ok) return tree;
  const leafHash = hashLeaf(input.entry);
  const isIncluded = verifyInclusion({ index, leafHash, proof: hashes, tree: tree.value });
  return isIncluded ? tree : fail({ code: 'proof.entry_not_included' });
}

function parseHashes(lines: readonly string[]): Uint8Array[] | undefined {
  if (lines.length > hashesMax) return undefined;
  const hashes = lines.flatMap((line) => parseBase64(line) ?? []);
  return hashes.length === lines.length && hashes.every((hash) => hash.byteLength === hashBytes)
    ? hashes
    : undefined;
}

function malformed(reason: string) {
  return fail({ code: 'proof.malformed', reason });
}
