import { type ApiKeyStore, revokeKeysOf, userId } from '../api-key/index.ts';
import { type DatabasePool, type OrgTransaction, withOrgChange } from '../db/index.ts';
import type { Actor, EventRecorder } from '../events/index.ts';
import { type Clock, fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Person, PersonStore } from './person-store.ts';
import { isLive, type SubjectKey } from './subject-key.ts';
import type { SubjectKeyStore } from './subject-key-store.ts';

export type ErasePersonDeps = {
  readonly pool: DatabasePool;
  readonly keys: SubjectKeyStore;
  readonly people: PersonStore;
  readonly apiKeys: Pick<ApiKeyStore, 'revokeMany' | 'redact'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

export type ErasePersonInput = {
  readonly organizationId: OrganizationId;
  readonly userId: string;
  readonly actor: Actor;
};

export type Erasure = { readonly userId: string; readonly erasedAt: Date };

export type ErasePersonFailure =
  | { readonly code: 'person.not_found' }
  /** Erased now, the next reconciliation would write the same texts again. */
  | { readonly code: 'person.still_declared' };

/**
 * Ends the readable data of one person in one organization: destroys their key, so that what is sealed in the trail,
 * the log and every export can be opened by nobody; puts their id in the place of their texts among the members; takes
 * them out of stored plans; revokes their personal keys and blanks what those say. Also for who is no member any more. Repeating it changes and records nothing.
 */
export async function erasePerson(
  deps: ErasePersonDeps,
  input: ErasePersonInput,
): Promise<Result<Erasure, ErasePersonFailure>> {
  const { organizationId, userId } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    await deps.people.lock(tx, userId);
    const member = await deps.people.findMember(tx, userId);
    const keys = await deps.keys.list(tx, [userId]);
    if (member === undefined && keys.length === 0 && !(await deps.people.isInTrail(tx, userId)))
      return fail({ code: 'person.not_found' });
    if (member?.managedBy === 'git') return fail({ code: 'person.still_declared' });
    await endApiKeys(deps, tx, input);
    const before = findErasure(member, keys);
    return ok({ userId, erasedAt: before ?? (await erase(deps, tx, input, { member, keys })) });
  });
}

/** Also of who had been erased before keys were ended with their owner. */
async function endApiKeys(
  deps: ErasePersonDeps,
  tx: OrgTransaction,
  { organizationId, userId: user, actor }: ErasePersonInput,
): Promise<void> {
  const id = userId.require(user);
  const owner = { type: 'user', id } as const;
  const input = { organizationId, owner, actor, reason: 'owner_erased' };
  await revokeKeysOf({ ...deps, store: deps.apiKeys }, tx, input);
  await deps.apiKeys.redact(tx, id);
}

/** When everything had been erased, and nothing was written since. */
function findErasure(member: Person | undefined, keys: readonly SubjectKey[]): Date | undefined {
  if (member?.isPseudonymous === false || keys.some(isLive)) return undefined;
  return keys.at(-1)?.destroyedAt;
}

async function erase(
  deps: ErasePersonDeps,
  tx: OrgTransaction,
  { organizationId, userId, actor }: ErasePersonInput,
  found: { member: Person | undefined; keys: readonly SubjectKey[] },
): Promise<Date> {
  const at = deps.clock.now();
  const ending = { subject: userId, by: actor.id, at };
  const isDestroyed = await deps.keys.destroy(tx, ending);
  if (found.keys.length === 0) await deps.keys.addDestroyed(tx, organizationId, ending);
  // By their names: before those are gone.
  const plansRedacted = await deps.people.redactPlans(tx, userId);
  if (found.member !== undefined) await deps.people.pseudonymise(tx, userId, at);
  await deps.events.record(tx, organizationId, {
    type: 'uos.user.erased.v1',
    subject: userId,
    actor,
    data: {
      keysDestroyed: isDestroyed ? 1 : 0,
      membership: found.member === undefined ? 'none' : 'pseudonymised',
      plansRedacted,
    },
  });
  return at;
}
