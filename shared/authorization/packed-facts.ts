import { LRUCache } from 'lru-cache';
import type { SubjectFacts } from './subject-facts.ts';

/** Text; or the facts themselves where they share lists with others'. */
export type PackedFacts = { readonly text: string } | { readonly facts: SubjectFacts };

export type FactsPacker = {
  pack(facts: SubjectFacts): PackedFacts;
  /** The same object again for as long as it is in use. */
  unpack(packed: PackedFacts): SubjectFacts;
  sizeOf(packed: PackedFacts): number;
};

/** Subjects that are asked about again and again; with how much text, since what it makes takes a few times as much. */
const inUseMax = 10_000;
const inUseCharactersMax = 32 * 1024 * 1024;
/** Those who asked together for what was just read: a tenth of a second of them. */
const justReadMax = 64;

/**
 * Keeps facts as text, since most are read once and then only kept: of a hundred thousand subjects the collector would
 * visit some millions of objects, and nobody is answered meanwhile. Who is asked about a second time is kept unpacked.
 */
export function createFactsPacker({ charactersMax = inUseCharactersMax } = {}): FactsPacker {
  const justRead = new LRUCache<PackedFacts, SubjectFacts>({ max: justReadMax });
  const inUse = new LRUCache<PackedFacts, SubjectFacts>({ max: inUseMax, maxSize: charactersMax });
  return {
    pack: (facts) => {
      if (hasSharedLists(facts)) return { facts };
      const packed = { text: JSON.stringify(facts) };
      justRead.set(packed, facts);
      return packed;
    },
    unpack: (packed) => {
      if ('facts' in packed) return packed.facts;
      const known = inUse.get(packed) ?? justRead.get(packed);
      if (known !== undefined) return known;
      const facts: SubjectFacts = JSON.parse(packed.text);
      inUse.set(packed, facts, { size: packed.text.length });
      return facts;
    },
    sizeOf: (packed) => ('facts' in packed ? sizeOfFacts(packed.facts) : 200 + packed.text.length),
  };
}

function hasSharedLists({ bindings }: SubjectFacts): boolean {
  return bindings.some(({ scope }) => scope.type === 'team' && scope.descendants.length > 0);
}

/** Bytes, roughly. Lists that several share are counted for each: they are large only where trees are. */
function sizeOfFacts({ subject, bindings, resourceTypes }: SubjectFacts): number {
  const texts = subject.teams.length + (subject.groups?.length ?? 0) + (resourceTypes?.length ?? 0);
  return bindings.reduce((sum, binding) => sum + sizeOfBinding(binding), 500 + 60 * texts);
}

function sizeOfBinding({ permissions, scope, conditions }: SubjectFacts['bindings'][number]): number {
  const below = scope.type === 'team' ? scope.descendants.length : 0;
  return 400 + 60 * (permissions.length + below) + 200 * (conditions?.length ?? 0);
}
