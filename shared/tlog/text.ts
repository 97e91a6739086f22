/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * Strict inverse of `toBase64`, undefined for anything else. Node's own decoder skips foreign characters and
 * ignores stray bits at the end, so that many texts would name one signature.
 */
export function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** ASCII decimal without sign or leading zeroes, up to 2^53 - 1. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Undefined when the bytes are not UTF-8 or more than `bytesMax`. */
export function parseUtf8(bytes: Uint8Array, bytesMax: number): string | undefined {
  if (bytes.byteLength > bytesMax) return undefined;
  try {
    // ignoreBOM keeps a byte order mark in the text: a signature covers it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
