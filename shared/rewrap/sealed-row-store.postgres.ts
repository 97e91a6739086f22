import { type RawBuilder, sql } from 'kysely';
import type { KeyValue, SealedColumn } from './sealed-column.ts';
import type { SealedRowStore } from './sealed-row-store.ts';

/** Names of tables and columns are those of `sealed-column.ts` and never a caller's. */
export const postgresSealedRowStore: SealedRowStore = {
  listOrganizations: async (tx, { purpose, below, after, organizationsMax }) => {
    const { rows } = await sql<{ org_id: string; row_count: number }>`
      select org_id, row_count from sealed_rows_below(${purpose}, ${below}, ${after}, ${organizationsMax})`.execute(
      tx,
    );
    return {
      organizations: rows
        .filter((row) => row.row_count > 0)
        .map((row) => ({ id: row.org_id, rows: row.row_count })),
      lookedUntil: rows.at(-1)?.org_id,
    };
  },
  count: async (tx, column, below) => {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from ${sql.table(column.relation)} where ${isBelow(column, below)}`.execute(
      tx,
    );
    return rows[0]?.count ?? 0;
  },
  read: async (tx, column, { below, after, limit }) => {
    const names = sql.join(column.key.map(({ name }) => sql.ref(name)));
    const position =
      after === undefined ? sql`` : sql`and (${names}) > (${sql.join(after.map(toParameter))})`;
    const { rows } = await sql<Record<string, KeyValue> & { box: Buffer }>`
      select ${names}, ${sql.ref(column.column)} as box from ${sql.table(column.relation)}
      where ${isBelow(column, below)} ${position} order by ${names} limit ${limit}`.execute(tx);
    return rows.map((row) => ({ key: column.key.map(({ name }) => row[name] ?? ''), box: row.box }));
  },
  replace: async (tx, column, rows) => {
    const { relation, key, versionColumn } = column;
    const boxes = sql.ref(column.column);
    const lists = key.map(
      ({ type }, place) => sql`${rows.map((row) => toParameter(row.key[place] ?? ''))}::${sql.raw(type)}[]`,
    );
    const names = key.map(({ name }) => sql.ref(name));
    const version =
      versionColumn === undefined
        ? sql``
        : sql`, ${sql.ref(versionColumn)} = sealed_key_version(fresh.replacement)`;
    const isSame = sql.join(
      key.map(({ name }) => sql`stored.${sql.ref(name)} = fresh.${sql.ref(name)}`),
      sql` and `,
    );
    const asked = sql`unnest(${sql.join(lists)}) as asked (${sql.join(names)})`;
    const isAsked = sql.join(
      key.map(({ name }) => sql`stored.${sql.ref(name)} = asked.${sql.ref(name)}`),
      sql` and `,
    );
    // In the order in which others lock several of them; an update takes whatever order the planner likes.
    await sql`select 1 from ${sql.table(relation)} as stored join ${asked} on ${isAsked}
      order by ${sql.join(key.map(({ name }) => sql`stored.${sql.ref(name)}`))} for no key update of stored`.execute(
      tx,
    );
    // Not flushed at once: a batch that a crash of the server takes back is only done again, and the commit that
    // destroys the old data key flushes all before it.
    await sql`set local synchronous_commit = off`.execute(tx);
    const { numAffectedRows } = await sql`
      update ${sql.table(relation)} as stored set ${boxes} = fresh.replacement ${version}
      from unnest(${sql.join(lists)}, ${rows.map(({ box }) => toParameter(box))}::bytea[],
        ${rows.map(({ replacement }) => toParameter(replacement))}::bytea[])
        as fresh (${sql.join(names)}, box, replacement)
      where ${isSame} and stored.${boxes} = fresh.box`.execute(tx);
    return Number(numAffectedRows ?? 0);
  },
};

function isBelow(column: SealedColumn, below: number): RawBuilder<boolean> {
  return sql<boolean>`sealed_key_version(${sql.ref(column.column)}) < ${below}`;
}

/** `pg` writes a Buffer as bytea, also inside an array; of a plain Uint8Array it would not know the array's form. */
function toParameter(value: KeyValue): string | number | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}
