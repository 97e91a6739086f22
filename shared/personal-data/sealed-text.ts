import type { SealedIn, SealedMember } from '../events/index.ts';
import { fail, ok, type Random, type Result } from '../kernel/index.ts';
import { keyVersionOf, openBox, type SealedBoxFailure, sealBox } from '../secret/index.ts';

const form = 'v1.';
// A length says something about a person too, also when the text is gone: it is rounded up.
const blockBytes = 32;

export type UnsealedKey = { readonly generation: number; readonly bytes: Uint8Array };

/** Where a sealed member belongs: `path` is its place inside `data`, with dots. */
export type MemberPlace = { readonly event: SealedIn; readonly subject: string; readonly path: string };

/**
 * Seals one text with its subject's key. Form: `v1.` and the base64url of a sealed box (shared/secret) whose key
 * version is the key's generation. Inside is the text as JSON, filled up with spaces to a multiple of 32 bytes.
 */
export function sealMember(
  deps: { random: Random },
  input: MemberPlace & { key: UnsealedKey; text: string },
): SealedMember {
  const plaintext = Buffer.from(JSON.stringify(input.text));
  const padded = Buffer.alloc(Math.ceil(plaintext.length / blockBytes) * blockBytes, ' ');
  padded.set(plaintext);
  const box = sealBox({
    key: input.key.bytes,
    keyVersion: input.key.generation,
    context: toContext(input),
    plaintext: padded,
    random: deps.random,
  });
  return { sealed: form + box.toString('base64url'), subject: input.subject };
}

/** Which generation of the subject's key opens it. */
export function generationOf(member: SealedMember): Result<number, SealedBoxFailure> {
  return keyVersionOf(toBox(member));
}

export function openMember(
  input: MemberPlace & { key: UnsealedKey; member: SealedMember },
): Result<string, SealedBoxFailure> {
  const opened = openBox({ key: input.key.bytes, context: toContext(input), box: toBox(input.member) });
  if (!opened.ok) return opened;
  const text: unknown = JSON.parse(opened.value.toString());
  return typeof text === 'string' ? ok(text) : fail({ code: 'sealed_box.unreadable' });
}

function toBox(member: SealedMember): Buffer {
  return Buffer.from(member.sealed.slice(form.length), 'base64url');
}

/** No part holds a line break: ids, catalogue names and member names. */
function toContext({ event, subject, path }: MemberPlace): string {
  return ['personal-data', event.type, event.id, subject, path].join('\n');
}
