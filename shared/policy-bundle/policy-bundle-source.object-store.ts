import { createHash } from 'node:crypto';
import { fail, ok } from '../kernel/index.ts';
import { type ObjectStore, ObjectStoreError } from '../object-store/index.ts';
import { bundleLimits } from './policy-bundle-files.ts';
import type { PolicyBundleSource } from './policy-bundle-source.ts';

/** An archive in an object store. The port has no entity tags: each look fetches, and the digest is the tag. */
export function createObjectBundleSource(
  objects: Pick<ObjectStore, 'get'>,
  at: { readonly key: string; readonly location: string },
): PolicyBundleSource {
  return {
    location: at.location,
    fetch: async (previousTag) => {
      try {
        const bytes = await objects.get(at.key);
        if (bytes === undefined)
          return fail({ code: 'policy_bundle.missing', detail: `${at.location} is not there` });
        if (bytes.byteLength > bundleLimits.archiveBytesMax)
          return fail({
            code: 'policy_bundle.too_large',
            detail: `${at.location} has ${bytes.byteLength} bytes`,
          });
        const tag = createHash('sha256').update(bytes).digest('hex');
        if (tag === previousTag) return ok({ status: 'unchanged' });
        return ok({ status: 'fetched', tag, content: { form: 'archive', bytes } });
      } catch (error) {
        if (!(error instanceof ObjectStoreError)) throw error;
        return fail({ code: 'policy_bundle.unreachable', detail: error.message });
      }
    },
  };
}
