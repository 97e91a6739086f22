import { type AuthorizationFeed, createGuardedCache, type Filled } from '../authorization-feed/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import type { EvaluationRequest } from './authzen.ts';
import { createFactsPacker, type PackedFacts } from './packed-facts.ts';
import type { ResourceReference, SubjectReference } from './policy-input.ts';
import {
  type DataRevision,
  type FactsDemand,
  isAsNewAs,
  type ResourceFacts,
  type SubjectFacts,
  type SubjectFactsSource,
} from './subject-facts.ts';

export type CachedSubjectFactsDeps = {
  readonly source: SubjectFactsSource;
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
};

export type RememberedSubjectFacts = SubjectFactsSource & {
  /** Reads what a question will rest on, for whoever has something else to do first; the question shares the reading. */
  prefetch(organizationId: string, question: Pick<EvaluationRequest, 'subject' | 'resource'>): void;
};

type ResourcePart = { readonly resource: ResourceFacts | null; readonly revision?: DataRevision };

/**
 * Facts from memory while the feed vouches for them, else from the source. Subjects and registered resources are kept
 * apart, since they change apart and meet in any pair. The age limit is for whoever changes rows with triggers
 * switched off; the feed is what revocation rests on. About 1 KB a subject; what is larger takes more of the room.
 * Subjects that are not known are kept in few places of their own: anyone can make up more of them.
 */
export function cacheSubjectFacts(
  deps: CachedSubjectFactsDeps,
  limits: { readonly entriesMax?: number; readonly bytesMax?: number; readonly ttlSeconds?: number } = {},
): RememberedSubjectFacts {
  const { source, feed, clock } = deps;
  const entriesMax = limits.entriesMax ?? 100_000;
  const bytesMax = limits.bytesMax ?? 256 * 1024 * 1024;
  const packer = createFactsPacker();
  const subjects = createGuardedCache<PackedFacts>({
    feed,
    clock,
    entriesMax,
    room: { sizeMax: bytesMax, sizeOf: packer.sizeOf },
    isOlder: ({ data = 0 }, kept) => data < (kept.data ?? 0),
  });
  const resources = createGuardedCache<ResourcePart>({
    feed,
    clock,
    entriesMax,
    room: { sizeMax: bytesMax / 4, sizeOf: sizeOfResource },
    isOlder: ({ revision }, kept) => (revision?.data ?? 0) < (kept.revision?.data ?? 0),
  });
  const keep = <T>(value: T): Filled<T> => ({
    value,
    cacheUntil: secondsAfter(clock.now(), limits.ttlSeconds ?? 1_800),
  });

  async function readSubject(read: Promise<SubjectFacts>): Promise<Filled<PackedFacts>> {
    const part = toSubjectPart(await read);
    return { ...keep(packer.pack(part)), isMadeUp: !part.subject.known };
  }

  async function find(organizationId: string, subject: SubjectReference, resource?: ResourceReference) {
    const read: { both?: Promise<SubjectFacts> } = {};
    const known = subjects.get(keyOf(organizationId, subject), organizationId, () => {
      read.both = readBoth(organizationId, subject, resource);
      return readSubject(read.both);
    });
    if (resource === undefined) return packer.unpack(await known);
    // In the same turn as the read began, hence under the epoch it began under.
    const readNow = read.both;
    if (readNow !== undefined)
      void keepResource(organizationId, resource, () => readNow).catch(() => undefined);
    const packed = await known;
    if (readNow !== undefined) return readNow;
    const facts = packer.unpack(packed);
    if (!facts.resourceTypes?.includes(resource.type)) return facts;
    const readAgain = () => readBoth(organizationId, subject, resource);
    const part = await keepResource(organizationId, resource, readAgain);
    return areOfOneMoment(facts, part) ? join(facts, part) : readAgain();
  }

  /** What is kept, if it says all that a question rests on: most questions, and none of them waits. */
  function peek(organizationId: string, subject: SubjectReference, resource?: ResourceReference) {
    const packed = subjects.peek(keyOf(organizationId, subject));
    if (packed === undefined) return undefined;
    const facts = packer.unpack(packed);
    if (resource === undefined || !facts.resourceTypes?.includes(resource.type)) return facts;
    const part = resources.peek(keyOf(organizationId, resource));
    return part !== undefined && areOfOneMoment(facts, part) ? join(facts, part) : undefined;
  }

  /** For whoever knows of something newer than what is kept. */
  async function renew(organizationId: string, subject: SubjectReference, resource?: ResourceReference) {
    const read = readBoth(organizationId, subject, resource);
    await subjects.renew(keyOf(organizationId, subject), organizationId, () => readSubject(read));
    return read;
  }

  async function findAsNewAs(minDataRevision: number, ...asked: Parameters<typeof find>) {
    const facts = await find(...asked);
    return isAsNewAs(facts, minDataRevision) ? facts : renew(...asked);
  }

  function readBoth(organizationId: string, subject: SubjectReference, resource?: ResourceReference) {
    const demand = resource === undefined ? {} : { resource };
    return source.find(organizationId, subject, demand);
  }

  function keepResource(
    organizationId: string,
    resource: ResourceReference,
    read: () => Promise<SubjectFacts>,
  ): Promise<ResourcePart> {
    return resources.get(keyOf(organizationId, resource), `${organizationId}/resources`, async () => {
      const facts = await read();
      const part = toResourcePart(facts);
      // Of a type that is not registered there are any number of ids, and nothing to know of them.
      return facts.resourceTypes?.includes(resource.type) ? keep(part) : { value: part };
    });
  }

  return {
    prefetch: (organizationId, { subject, resource }) => {
      // Without the feed nothing is shared, and it would be read twice.
      if (!feed.isLive() || peek(organizationId, subject, resource) !== undefined) return;
      const names = {
        subject: { type: subject.type, id: subject.id },
        resource: { type: resource.type, id: resource.id },
      };
      find(organizationId, names.subject, names.resource).catch(() => undefined);
    },
    find: (organizationId, subject, { resource, minDataRevision = 0 }: FactsDemand = {}) => {
      const known = peek(organizationId, subject, resource);
      return known !== undefined && isAsNewAs(known, minDataRevision)
        ? Promise.resolve(known)
        : findAsNewAs(minDataRevision, organizationId, subject, resource);
    },
  };
}

/** A tuple, since ids come from callers: joined text would let two subjects share an entry. */
function keyOf(organizationId: string, { type, id }: SubjectReference | ResourceReference): string {
  return JSON.stringify([organizationId, type, id]);
}

function sizeOfResource({ resource }: ResourcePart): number {
  return 300 + 2 * (resource === null ? 0 : JSON.stringify(resource.attributes).length);
}

function toSubjectPart({ resource: _resource, ...facts }: SubjectFacts): SubjectFacts {
  return facts;
}

function toResourcePart({ resource, revision }: SubjectFacts): ResourcePart {
  return { resource: resource ?? null, ...(revision === undefined ? {} : { revision }) };
}

/**
 * Whether each part is still what it was when the other was read. Threat: a subject loses a right and then a document
 * is put where that right reached; its old facts beside the new document would open it (Zanzibar's new enemy).
 */
function areOfOneMoment(subject: SubjectFacts, resource: ResourcePart): boolean {
  const [ofSubject, ofResource] = [subject.revision, resource.revision];
  if (ofSubject === undefined || ofResource === undefined) return ofSubject === ofResource;
  return ofSubject.data >= ofResource.subjects && ofResource.data >= ofSubject.resources;
}

function join(facts: SubjectFacts, { resource, revision }: ResourcePart): SubjectFacts {
  const newest = revision !== undefined && !isAsNewAs(facts, revision.data) ? { revision } : {};
  return { ...facts, resource, ...newest };
}
