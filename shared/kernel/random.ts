import { randomBytes } from 'node:crypto';

/** The only source of unpredictability. `bytes(n)` returns n cryptographically strong bytes. */
export type Random = { bytes(count: number): Uint8Array };

const poolBytes = 4_096;
let pool = Buffer.alloc(0);

/** Small draws come from a pool, each byte given out once: a call to the system's generator costs several microseconds. */
export const systemRandom: Random = {
  bytes: (count) => {
    if (count > poolBytes / 8) return randomBytes(count);
    if (pool.length < count) pool = randomBytes(poolBytes);
    const drawn = Buffer.from(pool.subarray(0, count));
    pool.fill(0, 0, count);
    pool = pool.subarray(count);
    return drawn;
  },
};
