import { fileURLToPath } from 'node:url';
import type { ObjectStore } from '../object-store/index.ts';
import { createFileBundleSource } from './policy-bundle-source.file.ts';
import { createHttpBundleSource } from './policy-bundle-source.http.ts';
import { createObjectBundleSource } from './policy-bundle-source.object-store.ts';
import type { PolicyBundleSource } from './policy-bundle-source.ts';

/**
 * For composition roots: the source that a URL of the configuration names. `file:///etc/policy` (a directory) or
 * `file:///etc/policy.tar.gz`, `https://host/policy.tar.gz`,
 * `s3://<bucket>/<key>?endpoint=https://host[&region=...]`. Throws when it is none of these.
 */
export function openPolicyBundleSource(
  deps: { readonly openObjects: (url: string) => Pick<ObjectStore, 'get'> },
  address: string,
): PolicyBundleSource {
  const url = new URL(address);
  if (url.protocol === 'file:') return createFileBundleSource(fileURLToPath(url));
  if (url.protocol === 'https:' || url.protocol === 'http:') return createHttpBundleSource(address);
  if (url.protocol !== 's3:') throw new Error(`"${url.protocol}" names no source of policy bundles`);
  const key = decodeURIComponent(url.pathname.slice(1));
  const objects = deps.openObjects(`s3://${url.host}${url.search}`);
  return createObjectBundleSource(objects, { key, location: `s3://${url.host}/${key}` });
}
