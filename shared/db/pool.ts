import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from './schema.ts';

/** The part of `pg` that the rest of this folder stands on; tests wrap it to fail at a chosen statement. */
export type PoolClient = Pick<pg.PoolClient, 'query' | 'release'>;

export type DatabasePool = {
  connect(): Promise<PoolClient>;
  /** One statement outside a transaction, for the hot path: hand-written SQL, named so that it is prepared once. */
  query<Row extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
  close(): Promise<void>;
};

export type PoolOptions = {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax?: number;
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  readonly onIdleError?: (error: Error) => void;
};

const types = {
  // Our bigints are sizes and sequences below 2^53; pg's default gives text.
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return Number;
    if (oid === pg.types.builtins.DATE) return String;
    return pg.types.getTypeParser(oid, format);
  },
};

/** Opens lazily: the first query connects, so a function can start before its database answers. */
export function openPool(options: PoolOptions): DatabasePool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 5_000;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.connectionsMax ?? 8,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    types,
  });
  // An idle connection that the server cut must not end the process; the next query opens another.
  pool.on('error', options.onIdleError ?? (() => undefined));
  // Nor one that is in use: its query fails, and the event that follows would be an uncaught exception.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const connect = () => pool.connect().catch(noConnection);
  return {
    connect,
    query: (config) => queryOnce(connect, config),
    close: () => pool.end(),
  };
}

/** As pg-pool's own `query`, which has no name for a connection that was not to be had. */
async function queryOnce<Row extends pg.QueryResultRow>(
  connect: () => Promise<pg.PoolClient>,
  config: pg.QueryConfig,
): Promise<pg.QueryResult<Row>> {
  const client = await connect();
  try {
    const result = await ask<Row>(client, config);
    client.release();
    return result;
  } catch (error) {
    // What it failed of may be the connection: the next caller gets another.
    client.release(true);
    // Told from the socket, it says nothing of who asked.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}

/**
 * By a callback, as pg-pool asks too: when pg (8.23) makes the promise itself, V8 keeps each query with its values and
 * rows until the next major collection, which is then soon.
 */
function ask<Row extends pg.QueryResultRow>(
  client: pg.PoolClient,
  config: pg.QueryConfig,
): Promise<pg.QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    client.query<Row>(config, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** pg-pool's own time limit has no code; with one, it is seen to be transient. */
function noConnection(cause: unknown): never {
  if (cause instanceof Error && 'code' in cause) throw cause;
  throw Object.assign(new Error('The pool gave no connection in time', { cause }), { code: 'ETIMEDOUT' });
}

/** Kysely over one client that the caller holds: queries inside a transaction that is already open. */
export function overClient(client: PoolClient): Kysely<Database> {
  const held = {
    query: client.query.bind(client),
    release: () => undefined,
  };
  const pool = { connect: async () => held, end: async () => undefined };
  // Kysely asks for the query method alone; pg's overloads are wider than the interface it names.
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: pool as never }) });
}

export type OwnerDatabase = AsyncDisposable & { readonly kysely: Kysely<Database> };

/** For migrations only: the role that owns the schema. */
export function openOwnerDatabase(url: string): OwnerDatabase {
  const pool = new pg.Pool({ connectionString: url, application_name: 'uos-migrate', max: 2, types });
  const kysely = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { kysely, [Symbol.asyncDispose]: () => kysely.destroy() };
}
