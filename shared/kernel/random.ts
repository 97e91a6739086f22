import { randomBytes } from 'node:crypto';

/** The only source of unpredictability. `bytes(n)` returns n cryptographically strong bytes. */
export type Random = { bytes(count: number): Uint8Array };

export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
