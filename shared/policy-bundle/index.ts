/**
 * Policy bundles as others publish them: archives, signatures, where they come from, and how an engine is kept at
 * the newest one. Invariants: with trusted keys configured nothing unsigned is served; an older version never
 * replaces a newer one unasked; whatever is refused leaves the last good bundle answering.
 *
 *     const follower = followPolicyBundle({ source, engine, clock }, { trustedKeys: parseTrustedKeys(pem) });
 *     const checked = await follower.check();
 */
export { keyIdOf, parseTrustedKeys, signManifest, type TrustedKeys } from './bundle-signature.ts';
export {
  admit,
  type FollowPolicyBundleDeps,
  type FollowPolicyBundleOptions,
  type FollowStatus,
  followPolicyBundle,
  type PolicyBundleFollower,
  type ServedBundle,
} from './follow-policy-bundle.ts';
export { packPolicyBundle, unpackPolicyBundle } from './policy-bundle-archive.ts';
export {
  bundleLimits,
  type PolicyBundleRefusal,
  type PublishedBundleFiles,
  publishedFileNames,
} from './policy-bundle-files.ts';
export {
  openContent,
  type PolicyBundleContent,
  type PolicyBundleFetch,
  type PolicyBundleSource,
} from './policy-bundle-source.ts';
export { readTarGz, type TarFailure } from './tar-archive.ts';
