import { randomBytes, randomFillSync } from 'node:crypto';

/** The only source of unpredictability. `bytes(n)` returns n cryptographically strong bytes. */
export type Random = { bytes(count: number): Uint8Array };

const poolBytes = 4_096;
let pool = new Uint8Array(0);
let given = 0;

/** Small draws come from a pool, each byte given out once: a call to the system's generator costs several microseconds. */
export const systemRandom: Random = {
  bytes: (count) => {
    if (count > poolBytes / 8) return randomBytes(count);
    if (pool.length - given < count) {
      pool = randomFillSync(new Uint8Array(poolBytes));
      given = 0;
    }
    const drawn = pool.slice(given, given + count);
    pool.fill(0, given, given + count);
    given += count;
    return drawn;
  },
};
