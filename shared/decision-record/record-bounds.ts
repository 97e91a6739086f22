import { createHash } from 'node:crypto';

/**
 * What one record may take, whatever a caller sends: names are the caller's, and one request of a mebibyte asks a
 * hundred questions that inherit all of it. Characters of JSON text, escapes counted.
 */
export const recordBounds = {
  /** Attributes beyond it are left out whole, with their size: a line must not become a store of documents. */
  attributes: 4_096,
  /** Attributes are not even read to their end beyond it: no masks could bring them below what is kept. */
  attributesRead: 65_536,
  /** Of one masked path. */
  maskedPath: 128,
  /** Of all masked paths; beyond it their count alone is kept. */
  masked: 2_048,
  /** Of everything else. Names beyond it are shortened. */
  names: 8_192,
} as const;

const shortCharacters = 64;
const digestCharacters = 32;

/** Begins as the text does, and is another for every other text. */
export function shorten(text: string): string {
  if (text.length <= shortCharacters + digestCharacters) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, digestCharacters);
  return `${text.slice(0, shortCharacters)}…sha256:${digest}`;
}

/** Stops reading as soon as it is certain, so that a large value costs no more than one at the bound. */
export function isTextBeyond(value: unknown, charactersMax: number): boolean {
  let left = charactersMax;
  const spend = (part: unknown): void => {
    left -= typeof part === 'string' ? part.length + 2 : 1;
    if (left < 0 || typeof part !== 'object' || part === null) return;
    if (Array.isArray(part)) part.every((item) => isLeftAfter(item));
    else Object.keys(part).every((name) => isLeftAfter(name) && isLeftAfter(Reflect.get(part, name)));
  };
  const isLeftAfter = (part: unknown): boolean => {
    spend(part);
    return left >= 0;
  };
  spend(value);
  return left < 0;
}
