import type { OrgTransaction } from '../db/index.ts';

export type Person = {
  readonly managedBy: 'git' | 'api';
  readonly isPseudonymous: boolean;
};

/**
 * Where the database holds readable data of a person, of the transaction's organization.
 * `lock` queues erasures of one person.
 * `findMember` is undefined for who is not, or no longer, a member. `isInTrail`: some event is about this id.
 * `pseudonymise` puts the id in the place of name, display name and e-mail address, and disables.
 * `redactPlans` takes the person's texts out of stored reconciliation plans, and returns how many had some.
 */
export type PersonStore = {
  lock(tx: OrgTransaction, userId: string): Promise<void>;
  findMember(tx: OrgTransaction, userId: string): Promise<Person | undefined>;
  isInTrail(tx: OrgTransaction, userId: string): Promise<boolean>;
  pseudonymise(tx: OrgTransaction, userId: string, at: Date): Promise<void>;
  redactPlans(tx: OrgTransaction, userId: string): Promise<number>;
};
