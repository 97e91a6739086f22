import { LRUCache } from 'lru-cache';
import type { BindingFact } from './policy-input.ts';
import type { SubjectFacts } from './subject-facts.ts';

export type PackedFacts = {
  readonly text: string;
  /** Of the bindings at a team, in their order, the teams below it; they are shared with others' facts. */
  readonly lists?: readonly (readonly string[])[];
  /** `data` of the facts' revision. */
  readonly data?: number;
};

export type FactsPacker = {
  pack(facts: SubjectFacts): PackedFacts;
  /** The same object again for as long as it is in use. */
  unpack(packed: PackedFacts): SubjectFacts;
  sizeOf(packed: PackedFacts): number;
};

/**
 * Subjects that are asked about again and again; with how much text, since what it makes takes a few times as much. So
 * few that the others die young: what lived a second would be old to the collector, and each second brings a thousand.
 */
const inUseMax = 128;
const inUseCharactersMax = 4 * 1024 * 1024;
/** Those who asked together for what was just read: a tenth of a second of them; with how many bytes. */
const justReadMax = { max: 64, maxSize: 16 * 1024 * 1024 };

/**
 * Keeps facts as text, since most are read once and then only kept: of a hundred thousand subjects the collector would
 * visit some millions of objects, for a third of a second on every core there is, and nobody is answered meanwhile. Who
 * is asked about a second time is kept unpacked for a while; unpacking takes some millionths of a second.
 */
export function createFactsPacker({ charactersMax = inUseCharactersMax } = {}): FactsPacker {
  const justRead = new LRUCache<PackedFacts, SubjectFacts>(justReadMax);
  const inUse = new LRUCache<PackedFacts, SubjectFacts>({ max: inUseMax, maxSize: charactersMax });
  return {
    pack: (facts) => {
      const packed = toPacked(facts);
      justRead.set(packed, facts, { size: sizeOf(packed) });
      return packed;
    },
    unpack: (packed) => {
      const known = inUse.get(packed) ?? justRead.get(packed);
      if (known !== undefined) return known;
      const facts = toFacts(packed);
      inUse.set(packed, facts, { size: packed.text.length });
      return facts;
    },
    sizeOf,
  };
}

function toPacked(facts: SubjectFacts): PackedFacts {
  const lists = facts.bindings.flatMap(({ scope }) => (scope.type === 'team' ? [scope.descendants] : []));
  const data = facts.revision === undefined ? {} : { data: facts.revision.data };
  if (lists.every(({ length }) => length === 0)) return { text: JSON.stringify(facts), ...data };
  const bindings = facts.bindings.map((binding) => withDescendants(binding, () => []));
  return { text: JSON.stringify({ ...facts, bindings }), lists, ...data };
}

function toFacts({ text, lists }: PackedFacts): SubjectFacts {
  const facts: SubjectFacts = JSON.parse(text);
  if (lists === undefined) return facts;
  const each = lists.values();
  const nextList = () => each.next().value ?? [];
  return { ...facts, bindings: facts.bindings.map((binding) => withDescendants(binding, nextList)) };
}

function withDescendants(binding: BindingFact, descendants: () => readonly string[]): BindingFact {
  const { scope } = binding;
  return scope.type === 'team' ? { ...binding, scope: { ...scope, descendants: descendants() } } : binding;
}

/** Bytes, roughly. Lists that several share are counted for each: they are large only where trees are. */
function sizeOf({ text, lists = [] }: PackedFacts): number {
  return lists.reduce((sum, list) => sum + 20 + 60 * list.length, 200 + text.length);
}
