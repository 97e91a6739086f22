/**
 * Where exports and sealed logs go. Every implementation promises:
 * - `put` resolves when the bytes are durable; a reader sees the old object or the new one, never a part.
 * - `get` of what was put returns exactly those bytes; of a key never put or deleted, undefined.
 * - `list` returns the keys that start with the prefix in ascending order, a page at a time, each exactly once when
 *   nothing changes meanwhile; `next` is the `after` of the following page and is absent on the last.
 * - `delete` of an absent key succeeds.
 * - A key that is not an object key (see object-key.ts) throws `InvariantError` before anything is sent.
 * - No object's key may be a folder of another (`a` beside `a/b`): directories cannot hold both.
 * - Everything else that goes wrong throws `ObjectStoreError` with its cause, after bounded retries.
 */
export type ObjectStore = {
  put(key: string, bytes: Uint8Array, options: { contentType: string }): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  list(prefix: string, page?: ObjectPageRequest): Promise<ObjectPage>;
  delete(key: string): Promise<void>;
};

/** `after` is the `next` of the page before, or any text that keys must sort after; `limit` is 1 to 1000, the default. */
export type ObjectPageRequest = { after?: string; limit?: number };
export type ObjectPage = { readonly keys: readonly string[]; readonly next?: string };

export const objectPageLimitMax = 1000;

/** Larger objects are a mistake here: everything is held in memory once. */
export const objectBytesMax = 256 * 1024 * 1024;

export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError';
}

/** All keys under a prefix, page after page. */
export async function* listAllObjects(store: ObjectStore, prefix: string): AsyncGenerator<string> {
  let after: string | undefined;
  do {
    const page: ObjectPage = await store.list(prefix, after === undefined ? {} : { after });
    yield* page.keys;
    after = page.next;
  } while (after !== undefined);
}
