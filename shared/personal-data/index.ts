/**
 * Texts about persons inside events that can never be changed: sealed under a key of the subject's own, and ended by
 * destroying it. The leaf and every proof over it stay as they are.
 *
 * Invariants: an unsealed key lives no longer than the transaction or request that needs it; a destroyed key never has
 * bytes again, its row says when and by whom; a key made after an erasure is another generation, which every text
 * sealed with it states; erasing and its event share one transaction.
 *
 * @example
 * const keys = await holdSubjectKeys(deps, tx, { organizationId, subjects: [userId] });
 * await erasePerson(deps, { organizationId, userId, actor });
 */
export {
  type ErasePersonDeps,
  type ErasePersonFailure,
  type ErasePersonInput,
  type Erasure,
  erasePerson,
} from './erase-person.ts';
export { type OpenedMember, openPersonalData } from './open-personal-data.ts';
export type { Person, PersonStore } from './person-store.ts';
export type { MemberPlace } from './sealed-text.ts';
export type { SubjectKey } from './subject-key.ts';
export type { SubjectKeyStore } from './subject-key-store.ts';
export { holdSubjectKeys, type SubjectKeyDeps, type SubjectKeys } from './subject-keys.ts';
