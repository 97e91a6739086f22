import type { OrgTransaction } from '../db/index.ts';
import { parseLeaf, type SealedIn, type SealedMember, sealedMemberSchema } from '../events/index.ts';
import { invariant } from '../kernel/index.ts';
import { generationOf, openMember } from './sealed-text.ts';
import { isLive, type SubjectKey } from './subject-key.ts';
import { type SubjectKeyDeps, unsealKey } from './subject-keys.ts';

/** `unreadable` is no erasure: the text was changed, moved, or sealed with a key that this organization never had. */
export type OpenedMember = {
  /** Inside `data`, with dots: `personal.email.after`. */
  readonly path: string;
  readonly subject: string;
} & (
  | { readonly status: 'readable'; readonly value: string }
  | { readonly status: 'erased'; readonly erasedAt: Date }
  | { readonly status: 'unreadable' }
);

type Located = { readonly event: SealedIn; readonly path: string; readonly member: SealedMember };

/** What the sealed members of some leaves hold, in the order of the leaves; one statement reads all keys. */
export async function openPersonalData(
  deps: SubjectKeyDeps,
  tx: OrgTransaction,
  input: { readonly organizationId: string; readonly leaves: readonly string[] },
): Promise<OpenedMember[][]> {
  const found = input.leaves.map(locateMembers);
  const subjects = new Set(found.flat().map(({ member }) => member.subject));
  const keys = subjects.size === 0 ? [] : await deps.store.list(tx, [...subjects]);
  return Promise.all(
    found.map((members) =>
      Promise.all(members.map((located) => open(deps, input.organizationId, keys, located))),
    ),
  );
}

function locateMembers(leaf: string): Located[] {
  const parsed = parseLeaf(leaf);
  invariant(parsed.ok, 'what is recorded is a leaf');
  const { id, type, data } = parsed.value;
  return listMembers(data, []).map(({ path, member }) => ({ event: { id, type }, path, member }));
}

function listMembers(value: unknown, path: readonly string[]): Omit<Located, 'event'>[] {
  if (typeof value !== 'object' || value === null) return [];
  const member = sealedMemberSchema.safeParse(value);
  if (member.success) return [{ path: path.join('.'), member: member.data }];
  return Object.entries(value).flatMap(([name, inner]) => listMembers(inner, [...path, name]));
}

async function open(
  deps: SubjectKeyDeps,
  organizationId: string,
  keys: readonly SubjectKey[],
  { event, path, member }: Located,
): Promise<OpenedMember> {
  const { subject } = member;
  const generation = generationOf(member);
  const key = keys.find(
    (one) => generation.ok && one.subject === subject && one.generation === generation.value,
  );
  if (key?.destroyedAt !== undefined) return { path, subject, status: 'erased', erasedAt: key.destroyedAt };
  if (key === undefined || !isLive(key)) return { path, subject, status: 'unreadable' };
  const unsealed = await unsealKey(deps, organizationId, key);
  const text = openMember({ event, path, subject, member, key: unsealed });
  return text.ok
    ? { path, subject, status: 'readable', value: text.value }
    : { path, subject, status: 'unreadable' };
}
