/**
 * Wraps data keys with a key that this process cannot, or need not, read (envelope encryption).
 * Contract: `unwrap(wrap(k, c), c)` is k; another context or a changed byte throws; `keyId` names the wrapping key
 * that `wrap` uses now, and `unwrap` accepts what any still-known wrapping key made.
 */
export type KeyWrapper = {
  readonly keyId: string;
  wrap(plaintext: Uint8Array, context: string): Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array>;
};
