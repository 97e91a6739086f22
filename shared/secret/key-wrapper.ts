import type { Result } from '../kernel/index.ts';

export type WrappedKey = {
  readonly bytes: Uint8Array;
  /** Names the wrapping key that made them. */
  readonly wrappingKeyId: string;
};

/** The bytes were made with a key that is not known any more, in another context, or were changed since. */
export type WrappedKeyFailure = { readonly code: 'wrapped_key.unreadable'; readonly reason: string };

/**
 * Wraps data keys with a key that this process cannot, or need not, read (envelope encryption).
 * Contract: `unwrap(wrap(k, c).bytes, c)` is k, also after the wrapping key was rotated; in another context, or with
 * one byte changed, it is a failure. A wrapper that cannot be asked throws `KeyWrapperError`: that says nothing about
 * the bytes, so a caller must never take them for lost.
 */
export type KeyWrapper = {
  /** The key that `wrap` would use now. */
  currentKeyId(): Promise<string>;
  wrap(plaintext: Uint8Array, context: string): Promise<WrappedKey>;
  unwrap(wrapped: Uint8Array, context: string): Promise<Result<Uint8Array, WrappedKeyFailure>>;
};

/** The wrapper is away, or refuses us: infrastructure or its settings. */
export class KeyWrapperError extends Error {
  override readonly name = 'KeyWrapperError';
}
