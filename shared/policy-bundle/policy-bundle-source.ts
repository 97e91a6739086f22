import { ok, type Result } from '../kernel/index.ts';
import { unpackPolicyBundle } from './policy-bundle-archive.ts';
import type { PolicyBundleRefusal, PublishedBundleFiles } from './policy-bundle-files.ts';

/**
 * Where bundles come from. The contract, for every implementation:
 * - `tag` names the content: as long as it is the same, so is what would be fetched. `unchanged` is answered only when
 *   it is the `previousTag` given.
 * - Bytes are handed over as they are, at most `bundleLimits.archiveBytesMax` of them; nothing of them is believed.
 * - Whatever keeps a bundle from being had is a failure, within a deadline; nothing is thrown.
 */
export type PolicyBundleSource = {
  /** For people and status pages: no credential, no query. */
  readonly location: string;
  fetch(previousTag: string | undefined): Promise<Result<PolicyBundleFetch, PolicyBundleRefusal>>;
};

export type PolicyBundleFetch =
  | { readonly status: 'unchanged' }
  | { readonly status: 'fetched'; readonly tag: string; readonly content: PolicyBundleContent };

export type PolicyBundleContent =
  | { readonly form: 'archive'; readonly bytes: Uint8Array }
  | { readonly form: 'files'; readonly files: PublishedBundleFiles };

export async function openContent(
  content: PolicyBundleContent,
): Promise<Result<PublishedBundleFiles, PolicyBundleRefusal>> {
  return content.form === 'files' ? ok(content.files) : unpackPolicyBundle(content.bytes);
}
