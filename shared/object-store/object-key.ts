import { invariant } from '../kernel/index.ts';

const segment = /^[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,199}$/;
const prefixCharacters = /^[A-Za-z0-9._=/-]*$/;
const keyLengthMax = 900;

/**
 * The names every store can hold: segments of `A-Z a-z 0-9 . _ = -` joined by `/`, no segment starting with a dot.
 * That leaves no room for traversal, for a directory's temporary files, or for characters that S3 signatures and
 * XML encode in more than one way; and it makes UTF-16 order the byte order that S3 lists in.
 */
export function isObjectKey(key: string): boolean {
  return key.length <= keyLengthMax && key.split('/').every((part) => segment.test(part));
}

/** Keys are built by our code: a bad one is a bug, not an outcome. */
export function requireObjectKey(key: string): void {
  invariant(isObjectKey(key), `"${key}" is not an object key`);
}

export function requireObjectPrefix(prefix: string): void {
  const valid = prefix.length <= keyLengthMax && prefixCharacters.test(prefix);
  const traverses = prefix.startsWith('/') || prefix.split('/').some((part) => part.startsWith('.'));
  invariant(valid && !traverses, `"${prefix}" is not an object key prefix`);
}
