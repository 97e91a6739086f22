import type { Kysely } from 'kysely';
import { invariant } from '../kernel/index.ts';
import { type DatabasePool, overClient, type PoolClient } from './pool.ts';
import type { Database } from './schema.ts';

declare const scope: unique symbol;

/**
 * An open transaction whose row-level security names one organization. Stores take it as their first argument, so
 * the caller owns atomicity; nothing else in the code can reach a tenant's rows.
 */
export type OrgTransaction = Kysely<Database> & { readonly [scope]: 'organization' };

/** A transaction with no organization: locators, leases, keys, and for the relay role the whole outbox. */
export type SystemTransaction = Kysely<Database> & { readonly [scope]: 'system' };

const organizationId = /^org_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Runs `work` in one transaction of the given organization; commits when it returns, rolls back when it throws.
 * Never hold it across a call to another service.
 */
export async function withOrg<T>(
  pool: DatabasePool,
  orgId: string,
  work: (tx: OrgTransaction) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, beginOf('begin', orgId), (db) => work(db as OrgTransaction));
}

/**
 * The same for a change that records an event: it begins by holding the organization against reconciliation, as the
 * event's reference to it would in the end. Locks are so taken in one order, the organization first: in the other,
 * a change that holds a row and a reconciliation that wants it would wait for each other, and one of them would die.
 */
export async function withOrgChange<T>(
  pool: DatabasePool,
  orgId: string,
  work: (tx: OrgTransaction) => Promise<T>,
): Promise<T> {
  const begin = beginOf('begin', orgId);
  const hold = `select from organization where org_id = '${orgId}' for key share`;
  return inTransaction(pool, `${begin}; ${hold}`, (db) => work(db as OrgTransaction));
}

/** As `withOrg`, for reading several things as they were at one moment; a write fails. */
export async function withOrgSnapshot<T>(
  pool: DatabasePool,
  orgId: string,
  work: (tx: OrgTransaction) => Promise<T>,
): Promise<T> {
  const begin = beginOf('begin isolation level repeatable read read only', orgId);
  return inTransaction(pool, begin, (db) => work(db as OrgTransaction));
}

/** It is sent inside a simple query, so the id's form is checked here and not left to quoting. */
function beginOf(begin: string, orgId: string): string {
  invariant(organizationId.test(orgId), `"${orgId}" is not an organization id`);
  return `${begin}; select set_config('uos.org_id', '${orgId}', true)`;
}

export async function withSystem<T>(
  pool: DatabasePool,
  work: (tx: SystemTransaction) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, 'begin', (db) => work(db as SystemTransaction));
}

async function inTransaction<T>(
  pool: DatabasePool,
  begin: string,
  work: (db: Kysely<Database>) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    // One round trip: BEGIN and what follows it travel together.
    await client.query(begin);
    const result = await work(overClient(client));
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/** A client that cannot roll back is in an unknown state: it is closed, never given to the next caller. */
async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (error) {
    client.release(error instanceof Error ? error : true);
  }
}
