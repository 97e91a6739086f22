import type { EvaluationRequest } from './authzen.ts';
import { type FactsDemand, isAsNewAs, type SubjectFacts, type SubjectFactsSource } from './subject-facts.ts';

type Pair = Pick<EvaluationRequest, 'subject' | 'resource'>;
type Reading = { readonly pair: Pair; facts: SubjectFacts };

const roundsMax = 3;

/**
 * Reads the facts of several questions together, all at once, and holds them: what one answer says of a subject in
 * several places must not contradict itself because a binding changed half-way, and the same question twice gets the
 * same facts. Throws when they could not be had, or would not hold still.
 */
export async function holdSubjectFacts(
  source: SubjectFactsSource,
  organizationId: string,
  pairs: readonly Pair[],
): Promise<SubjectFactsSource> {
  const held = new Map<string, Reading>();
  const read = async (pair: Pair, demand: FactsDemand = {}) => {
    const { subject, resource } = toReferences(pair);
    const facts = await source.find(organizationId, subject, { resource, ...demand });
    held.set(keyOf(pair), { pair, facts });
  };
  const distinct = new Map(pairs.map((pair) => [keyOf(pair), pair]));
  await Promise.all([...distinct.values()].map((pair) => read(pair)));
  for (let round = 0; ; round++) {
    const stale = findStale([...held.values()]);
    if (stale.length === 0) break;
    if (round === roundsMax)
      throw new Error('The facts of a subject changed again and again while they were read');
    await Promise.all(stale.map(({ pair, minDataRevision }) => read(pair, { minDataRevision })));
  }
  return {
    find: async (organization, subject, demand) => {
      const known = demand?.resource && held.get(keyOf({ subject, resource: demand.resource }));
      const isGoodEnough = demand?.minDataRevision === undefined;
      return known && isGoodEnough ? known.facts : source.find(organization, subject, demand);
    },
  };
}

/** Those read before facts of subjects last changed, as another reading of the same subject knows of it. */
function findStale(readings: readonly Reading[]): { pair: Pair; minDataRevision: number }[] {
  const newest = new Map<string, number>();
  for (const { pair, facts } of readings) {
    const key = subjectKeyOf(pair);
    newest.set(key, Math.max(newest.get(key) ?? 0, facts.revision?.subjects ?? 0));
  }
  return readings.flatMap(({ pair, facts }) => {
    const minDataRevision = newest.get(subjectKeyOf(pair)) ?? 0;
    return isAsNewAs(facts, minDataRevision) ? [] : [{ pair, minDataRevision }];
  });
}

function toReferences({ subject, resource }: PairReferences): PairReferences {
  return {
    subject: { type: subject.type, id: subject.id },
    resource: { type: resource.type, id: resource.id },
  };
}

type PairReferences = Readonly<
  Record<'subject' | 'resource', { readonly type: string; readonly id: string }>
>;

/** Tuples, since ids come from callers: joined text would let two of them share an entry. */
function keyOf({ subject, resource }: PairReferences): string {
  return JSON.stringify([subject.type, subject.id, resource.type, resource.id]);
}

function subjectKeyOf({ subject }: Pair): string {
  return JSON.stringify([subject.type, subject.id]);
}
