import { isAsNewAs, type SubjectFactsSource } from './subject-facts.ts';

/**
 * Facts no older than an earlier answer's `dataRevision`, or none: whoever changed something and then asks must not be
 * answered from before the change, and is better not answered at all.
 */
export function demandFreshFacts(
  source: SubjectFactsSource,
  minDataRevision: number | undefined,
): SubjectFactsSource {
  if (minDataRevision === undefined) return source;
  return {
    find: async (organizationId, subject, demand = {}) => {
      const least = Math.max(minDataRevision, demand.minDataRevision ?? 0);
      const facts = await source.find(organizationId, subject, { ...demand, minDataRevision: least });
      if (isAsNewAs(facts, least)) return facts;
      throw new Error(`No facts as new as data revision ${least} are to be had`);
    },
  };
}
