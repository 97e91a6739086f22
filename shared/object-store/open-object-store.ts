import { fileURLToPath } from 'node:url';
import { createDirectoryObjectStore } from './object-store.directory.ts';
import { createS3ObjectStore } from './object-store.s3.ts';
import type { ObjectStore } from './object-store.ts';
import type { S3Deps, S3Settings } from './s3-request.ts';

/**
 * For composition roots: the store that a URL of the configuration names.
 * `file:///var/exports` or `s3://<bucket>?endpoint=https://us-east-1.linodeobjects.com&region=us-east-1`.
 * Throws when the URL is neither, or S3 credentials are missing; never repeats them.
 */
export function openObjectStore(
  location: { url: string; credentials?: S3Settings['credentials'] },
  deps: S3Deps,
): ObjectStore {
  const url = new URL(location.url);
  if (url.protocol === 'file:') return createDirectoryObjectStore(fileURLToPath(url), deps);
  if (url.protocol !== 's3:') throw new Error(`"${url.protocol}" names no object store; use file: or s3:`);
  if (location.credentials === undefined) throw new Error('An s3: object store needs credentials');
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint === null || !/^https?:\/\/[^/]+\/?$/.test(endpoint)) {
    throw new Error('An s3: object store needs "?endpoint=http(s)://host[:port]"');
  }
  return createS3ObjectStore(
    {
      endpoint: endpoint.replace(/\/$/, ''),
      bucket: url.hostname,
      region: url.searchParams.get('region') ?? 'us-east-1',
      credentials: location.credentials,
    },
    deps,
  );
}
