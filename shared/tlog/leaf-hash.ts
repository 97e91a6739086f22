import { hash } from 'node:crypto';

/** Every hash of a log is SHA-256. */
export const hashBytes = 32;

/** RFC 9162 section 2.1.1: SHA-256(0x00 || entry). The prefix keeps an entry from posing as an inner node. */
export function hashLeaf(entry: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(entry.byteLength + 1);
  input[0] = 0x00;
  input.set(entry, 1);
  return sha256(input);
}

/** RFC 9162 section 2.1.1: SHA-256(0x01 || left || right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = Buffer.allocUnsafe(1 + 2 * hashBytes);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + hashBytes);
  return sha256(input);
}

/** Root of the tree without entries: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0));
}

export function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer');
}
