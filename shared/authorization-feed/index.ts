/**
 * The change feed of authorization and the caches it guards. Invariants: an entry that a change made old is not
 * believed once the change has arrived; when the feed is silent for longer than its lease, no entry is.
 *
 * @example
 * const feed = openAuthorizationFeed({ url, applicationName: 'uos-authorize', clock });
 * const cache = createGuardedCache<SubjectFacts>({ feed, clock, entriesMax: 20_000 });
 * const facts = await cache.get(key, organizationId, async () => ({ value: await read(), cacheUntil }));
 */
export {
  type AuthorizationFeed,
  type AuthorizationFeedOptions,
  type OpenAuthorizationFeed,
  openAuthorizationFeed,
  silentFeed,
} from './authorization-feed.ts';
export { createEpochs, type Epochs } from './epochs.ts';
export {
  createGuardedCache,
  type Filled,
  type GuardedCache,
  type GuardedCacheOptions,
} from './guarded-cache.ts';
