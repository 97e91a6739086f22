import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { type DatabasePool, openPool, type PoolOptions } from '../../shared/db/index.ts';
import type {} from './global-setup.ts';

export type TestDatabase = {
  /** Login roles in uos_app, uos_relay and uos_log: what the functions get. */
  readonly appUrl: string;
  readonly relayUrl: string;
  readonly logUrl: string;
  /** Owns the schema; bound by row-level security like everyone (FORCE). */
  readonly ownerUrl: string;
  /** Above row-level security: for looking at, or breaking, what no function may see. */
  readonly superuserUrl: string;
  /** Ends every connection to it first. */
  drop(): Promise<void>;
};

/** A database of one's own on the run's PostgreSQL, with the newest schema and no rows. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { superuserUrl, urls } = inject('postgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await query(superuserUrl, `create database ${name} template uos owner owner_login`);
  const at = (url: string) => Object.assign(new URL(url), { pathname: name }).href;
  return {
    appUrl: at(urls.app),
    relayUrl: at(urls.relay),
    logUrl: at(urls.log),
    ownerUrl: at(urls.owner),
    superuserUrl: at(superuserUrl),
    drop: () => query(superuserUrl, `drop database if exists ${name} with (force)`),
  };
}

/** A pool with time for a machine that does everything else as well; a test about a pool's limits gives its own. */
export function openTestPool(options: PoolOptions): DatabasePool {
  return openPool({ connectTimeoutMs: 60_000, statementTimeoutMs: 60_000, ...options });
}

async function query(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
