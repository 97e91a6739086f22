import { fail, invariant, ok, type Result } from '../kernel/index.ts';
import { hashBytes } from './leaf-hash.ts';
import { type NoteFailure, type NoteSigner, openNote, signNote } from './note.ts';
import { parseBase64, parseDecimal, toBase64 } from './text.ts';
import { isTreeSize } from './tile.ts';
import type { TreeHead } from './tree.ts';
import type { VerifierKey } from './verifier-key.ts';

/** What a log commits to (c2sp.org/tlog-checkpoint). */
export type Checkpoint = TreeHead & {
  /** The log's identity: a URL without scheme, `audit.example.com/org_.../2026-01-31`. */
  readonly origin: string;
};

export type CheckpointMalformed = { readonly code: 'checkpoint.malformed'; readonly reason: string };
export type CheckpointFailure =
  | NoteFailure
  | CheckpointMalformed
  /** Signed by the right key, for another log. */
  | { readonly code: 'checkpoint.origin_mismatch'; readonly origin: string };

/** The note text: origin, size and root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  invariant(origin !== '' && !origin.includes('\n'), 'an origin is one line');
  invariant(isTreeSize(size) && root.byteLength === hashBytes, 'a tree head is a size and a SHA-256');
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/**
 * The `checkpoint` file of the log that the signer is named after. The caller must hold the rule that a log
 * never signs two trees of which neither is a prefix of the other: no signature can be taken back.
 */
export function signCheckpoint(tree: TreeHead, signer: NoteSigner): Promise<string> {
  const origin = signer.verifierKey.name;
  return signNote(formatCheckpoint({ origin, size: tree.size, root: tree.root }), [signer]);
}

/** Reads the text of an opened note. Extension lines are allowed by the format and mean nothing to us. */
export function parseCheckpoint(text: string): Result<Checkpoint, CheckpointMalformed> {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n');
  const extensions = rest.slice(0, -1);
  const size = parseDecimal(sizeText);
  const root = parseBase64(rootText);
  if (origin === '') return malformed('no origin');
  if (size === undefined) return malformed('the tree size is not a decimal number');
  if (root?.byteLength !== hashBytes) return malformed('the root is not a SHA-256 in base64');
  if (rest.at(-1) !== '' || extensions.includes('')) return malformed('bad extension lines');
  return ok({ origin, size, root });
}

/** The checkpoint in a signed note, if this key signed it for the log of this key's name. */
export function openCheckpoint(note: Uint8Array, key: VerifierKey): Result<Checkpoint, CheckpointFailure> {
  const text = openNote(note, [key]);
  if (!text.ok) return text;
  const checkpoint = parseCheckpoint(text.value);
  if (!checkpoint.ok) return checkpoint;
  const { origin } = checkpoint.value;
  return origin === key.name ? checkpoint : fail({ code: 'checkpoint.origin_mismatch', origin });
}

function malformed(reason: string) {
  return fail({ code: 'checkpoint.malformed', reason });
}
