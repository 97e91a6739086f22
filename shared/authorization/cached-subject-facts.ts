import { type AuthorizationFeed, createGuardedCache } from '../authorization-feed/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import type { SubjectFacts, SubjectFactsSource } from './subject-facts.ts';

export type CachedSubjectFactsDeps = {
  readonly source: SubjectFactsSource;
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
};

/**
 * Facts from memory while the feed vouches for them, else from the source. The age limit is for whoever changes
 * rows with triggers switched off; the feed is what revocation rests on. About 2 KB an entry.
 */
export function cacheSubjectFacts(
  deps: CachedSubjectFactsDeps,
  limits: { readonly entriesMax?: number; readonly ttlSeconds?: number } = {},
): SubjectFactsSource {
  const { source, feed, clock } = deps;
  const cache = createGuardedCache<SubjectFacts>({ feed, clock, entriesMax: limits.entriesMax ?? 20_000 });
  return {
    find: (organizationId, subject) =>
      // A tuple, since ids come from callers: joined text would let two subjects share an entry.
      cache.get(JSON.stringify([organizationId, subject.type, subject.id]), organizationId, async () => ({
        cacheUntil: secondsAfter(clock.now(), limits.ttlSeconds ?? 300),
        value: await source.find(organizationId, subject),
      })),
  };
}
