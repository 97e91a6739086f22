/**
 * Objects by key, in a directory or an S3 bucket: exports, sealed logs. What a store promises is the comment of
 * `ObjectStore`. Composition roots call `openObjectStore` of open-object-store.ts; everything else takes an
 * `ObjectStore`.
 *
 *     const store = openObjectStore({ url: 'file:///var/exports' }, { clock, random });
 *     await store.put('org_.../2026-01-31.ndjson', bytes, { contentType: 'application/x-ndjson' });
 */
export { isObjectKey } from './object-key.ts';
export {
  listAllObjects,
  type ObjectPage,
  type ObjectPageRequest,
  type ObjectStore,
  ObjectStoreError,
} from './object-store.ts';
