import type { OrgTransaction } from '../db/index.ts';
import type { SealedMember } from '../events/index.ts';
import { type Clock, invariant, type Random } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import { type MemberPlace, sealMember, type UnsealedKey } from './sealed-text.ts';
import { isLive, type LiveSubjectKey, toKeyContext } from './subject-key.ts';
import type { SubjectKeyStore } from './subject-key-store.ts';

export type SubjectKeyDeps = {
  readonly store: SubjectKeyStore;
  /** Of the purpose `personal-data`. */
  readonly ring: KeyRing;
};

/** Seals for the subjects it was made for. Lives as long as its transaction: nobody keeps an unsealed key. */
export type SubjectKeys = {
  seal(place: MemberPlace, text: string): SealedMember;
};

/**
 * The keys of these subjects, made in the caller's transaction where there is none: one statement when all have one,
 * three when some do not, whatever their number. After an erasure the key is a new one with the next generation.
 */
export async function holdSubjectKeys(
  deps: SubjectKeyDeps & { readonly clock: Clock; readonly random: Random },
  tx: OrgTransaction,
  input: { readonly organizationId: string; readonly subjects: readonly string[] },
): Promise<SubjectKeys> {
  const { organizationId } = input;
  const subjects = [...new Set(input.subjects)];
  const live = await holdLive(deps, tx, { organizationId, subjects });
  const unsealed = new Map<string, UnsealedKey>();
  for (const key of live) unsealed.set(key.subject, await unsealKey(deps, organizationId, key));
  return {
    seal: (place, text) => {
      const key = unsealed.get(place.subject);
      invariant(key, `no key is held for ${place.subject}`);
      return sealMember(deps, { ...place, key, text });
    },
  };
}

type Asked = { readonly organizationId: string; readonly subjects: readonly string[] };

async function holdLive(
  deps: Parameters<typeof holdSubjectKeys>[0],
  tx: OrgTransaction,
  { organizationId, subjects }: Asked,
): Promise<LiveSubjectKey[]> {
  if (subjects.length === 0) return [];
  const known = await deps.store.hold(tx, subjects);
  const live = known.filter(isLive);
  const has = new Set(live.map(({ subject }) => subject));
  const missing = subjects.filter((subject) => !has.has(subject));
  if (missing.length === 0) return live;
  const last = new Map(known.map(({ subject, generation }) => [subject, generation]));
  const made = await Promise.all(
    missing.map((subject) =>
      createKey(deps, organizationId, { subject, generation: (last.get(subject) ?? 0) + 1 }),
    ),
  );
  await deps.store.addMissing(tx, organizationId, made);
  // Another transaction may have made one of them first: what counts is what stands.
  return (await deps.store.hold(tx, subjects)).filter(isLive);
}

async function createKey(
  { ring, clock, random }: Parameters<typeof holdSubjectKeys>[0],
  organizationId: string,
  key: Pick<LiveSubjectKey, 'subject' | 'generation'>,
): Promise<LiveSubjectKey> {
  const sealed = await ring.seal(random.bytes(32), toKeyContext(organizationId, key));
  return { ...key, sealed, createdAt: clock.now(), destroyedAt: undefined };
}

/** Throws when the ring does not open it: a wrong wrapping key, or a row that was changed from outside. */
export async function unsealKey(
  deps: Pick<SubjectKeyDeps, 'ring'>,
  organizationId: string,
  key: LiveSubjectKey,
): Promise<UnsealedKey> {
  const opened = await deps.ring.open(key.sealed, toKeyContext(organizationId, key));
  invariant(opened.ok, `the key of ${key.subject} does not open`);
  return { generation: key.generation, bytes: opened.value };
}
