import { createPublicKey, type KeyObject } from 'node:crypto';
import { type DatabasePool, withSystem } from '../db/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import type { SigningKey } from './signing-key.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

export type VerifyingKey = SigningKey & { readonly publicKey: KeyObject };

/** The public signing keys, held in memory. Which of them count now is for the caller to ask of the clock. */
export type SigningKeySet = {
  /**
   * The keys, read again first when something said that they changed or they are older than the refresh interval.
   * The same array is returned until the keys differ, so it serves as their version. Throws when they cannot be
   * read: a verifier that cannot know its keys refuses.
   */
  current(): Promise<readonly VerifyingKey[]>;
  /** An unknown key is looked for in the database, at most once a second however many callers ask. */
  find(keyId: string): Promise<VerifyingKey | undefined>;
  /** To be called on each notification of `signingKeyChannel` and on each (re)connection of that feed. */
  invalidate(): void;
  /** True once there was a key: without asking the database. */
  isLoaded(): boolean;
};

export type SigningKeySetOptions = {
  readonly pool: DatabasePool;
  readonly store: Pick<SigningKeyStore, 'list'>;
  readonly clock: Clock;
  /** Age at which the keys are read again although nothing was notified. */
  readonly refreshSeconds?: number;
};

const unknownKeyRefreshSeconds = 1;

/** Opens empty; the first question reads. */
export function openSigningKeySet(options: SigningKeySetOptions): SigningKeySet {
  let keys: readonly VerifyingKey[] = [];
  let readAt: Date | undefined;
  /** How often something said that the keys changed, and how often it had when those held began to be read. */
  let generation = 0;
  let heldGeneration = -1;
  let reading: { readonly generation: number; readonly done: Promise<void> } | undefined;

  const isOlderThan = (seconds: number) =>
    readAt === undefined || secondsAfter(readAt, seconds) <= options.clock.now();
  // Before the first key exists there is nothing to serve, so it is looked for as often as an unknown key is.
  const refreshSeconds = () =>
    keys.length === 0 ? unknownKeyRefreshSeconds : (options.refreshSeconds ?? 10);

  async function read(began: number): Promise<void> {
    const beganAt = options.clock.now();
    const found = await withSystem(options.pool, (tx) => options.store.list(tx));
    if (!isSame(found, keys)) keys = found.map(toVerifyingKey);
    readAt = beganAt;
    heldGeneration = began;
  }
  function readOnce(): Promise<void> {
    if (reading !== undefined) return reading.done;
    const began = generation;
    const done = read(began).finally(() => {
      reading = undefined;
    });
    reading = { generation: began, done };
    return done;
  }
  /**
   * A read that began before the change does not know of it, so it is waited out and not believed. One more is enough,
   * however many changes come meanwhile: what was true when the caller asked is what it is told.
   */
  async function readSince(wanted: number): Promise<void> {
    if (reading !== undefined && reading.generation < wanted) await reading.done.catch(() => undefined);
    await readOnce();
  }
  async function current(): Promise<readonly VerifyingKey[]> {
    const wanted = generation;
    if (heldGeneration < wanted || isOlderThan(refreshSeconds())) await readSince(wanted);
    return keys;
  }
  return {
    current,
    find: async (keyId) => {
      const known = (await current()).find((key) => key.keyId === keyId);
      const isWorthAsking = reading !== undefined || isOlderThan(unknownKeyRefreshSeconds);
      if (known !== undefined || !isWorthAsking) return known;
      await readOnce();
      return keys.find((key) => key.keyId === keyId);
    },
    invalidate: () => {
      generation += 1;
    },
    isLoaded: () => keys.length > 0,
  };
}

function toVerifyingKey(key: SigningKey): VerifyingKey {
  return { ...key, publicKey: createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }) };
}

function isSame(found: readonly SigningKey[], held: readonly VerifyingKey[]): boolean {
  const instants = (keys: readonly SigningKey[]) =>
    JSON.stringify(keys.map((key) => [key.keyId, key.activeFrom, key.verifyUntil]));
  return instants(found) === instants(held);
}
