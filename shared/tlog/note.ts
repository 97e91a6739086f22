import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { fail, invariant, ok, type Result } from '../kernel/index.ts';
import { parseBase64, parseUtf8, toBase64 } from './text.ts';
import { createVerifierKey, isKeyName, type VerifierKey } from './verifier-key.ts';

/** Signs notes. Asynchronous, so that the private key may live in a key service. */
export type NoteSigner = {
  readonly verifierKey: VerifierKey;
  /** Ed25519 over exactly these bytes (RFC 8032, pure). */
  sign(text: Uint8Array): Promise<Uint8Array>;
};

export type NoteSignature = {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Uint8Array;
};

export type Note = {
  /** With its last line feed: this is what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

export type NoteMalformed = { readonly code: 'note.malformed'; readonly reason: string };
export type NoteFailure =
  | NoteMalformed
  | { readonly code: 'note.signature_invalid' }
  /** No signature is by a key we know. */
  | { readonly code: 'note.signer_unknown' };

/** Sixteen post-quantum cosignatures must fit (c2sp.org/signed-note); this is twice that. */
export const noteBytesMax = 256 * 1024;
const signaturesMax = 64;

export function createNoteSigner(input: { name: string; privateKey: KeyObject }): NoteSigner {
  const { name, privateKey } = input;
  const verifierKey = createVerifierKey({ name, publicKey: createPublicKey(privateKey) });
  return { verifierKey, sign: async (text) => sign(null, text, privateKey) };
}

/** Text must be non-empty and end in a line feed. */
export async function signNote(text: string, signers: readonly NoteSigner[]): Promise<string> {
  invariant(isNoteText(text), 'a note is lines of printable text, each ended by a line feed');
  let lines = '';
  for (const signer of signers) {
    const { name, keyId } = signer.verifierKey;
    const signature = await signer.sign(Buffer.from(text));
    lines += `\u2014 ${name} ${toBase64(Buffer.concat([Buffer.from(keyId, 'hex'), signature]))}\n`;
  }
  return `${text}\n${lines}`;
}

/**
 * The text of a note, if a known key signed it. As c2sp.org/signed-note asks: signatures by unknown keys are
 * passed over, one bad signature by a known key spoils the note.
 */
export function openNote(note: Uint8Array, keys: readonly VerifierKey[]): Result<string, NoteFailure> {
  const parsed = parseNote(note);
  if (!parsed.ok) return parsed;
  const { text, signatures } = parsed.value;
  let verified = false;
  for (const { name, keyId, signature } of signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.keyId === keyId);
    if (key === undefined) continue;
    if (!isSignatureBy(key, text, signature)) return fail({ code: 'note.signature_invalid' });
    verified = true;
  }
  return verified ? ok(text) : fail({ code: 'note.signer_unknown' });
}

/** Takes a note apart and checks no signature: its text may not be believed yet. */
export function parseNote(bytes: Uint8Array): Result<Note, NoteMalformed> {
  const note = parseUtf8(bytes, noteBytesMax);
  if (note === undefined) return malformed('not UTF-8, or too large');
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  if (end < 0 || !isNoteText(text)) return malformed('no text before an empty line');
  if (!note.endsWith('\n')) return malformed('the last line does not end');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > signaturesMax) return malformed(`more than ${signaturesMax} signatures`);
  const signatures = lines.flatMap((line) => parseSignature(line) ?? []);
  return signatures.length === lines.length ? ok({ text, signatures }) : malformed('bad signature line');
}

function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = parseBase64(encoded);
  if (dash !== '\u2014' || !isKeyName(name) || rest.length > 0) return undefined;
  if (bytes === undefined || bytes.byteLength < 5) return undefined;
  const keyId = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  return { name, keyId, signature: bytes.subarray(4) };
}

function isSignatureBy(key: VerifierKey, text: string, signature: Uint8Array): boolean {
  return signature.byteLength === 64 && verify(null, Buffer.from(text), key.publicKey, signature);
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return text.endsWith('\n') && !/[\u0000-\u0009\u000b-\u001f]/.test(text) && text.isWellFormed();
}

function malformed(reason: string) {
  return fail({ code: 'note.malformed', reason });
}
