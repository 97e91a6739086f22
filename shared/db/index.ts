/**
 * The only home of the connection pool. A tenant's rows are reached through `withOrg` alone: one transaction, one
 * organization, enforced by row-level security and not by the code that asks.
 */
export { type Lease, releaseLease, takeLease } from './lease.postgres.ts';
export { type Listener, type ListenerOptions, listen } from './listener.ts';
export { addLocator, locate } from './locator.postgres.ts';
export {
  type DatabasePool,
  type OwnerDatabase,
  openOwnerDatabase,
  openPool,
  type PoolClient,
  type PoolOptions,
} from './pool.ts';
export { removeInBatches } from './remove-in-batches.ts';
export type * as Rows from './schema.ts';
export {
  type OrgTransaction,
  type SystemTransaction,
  withOrg,
  withOrgChange,
  withOrgSnapshot,
  withSystem,
} from './transaction.ts';
