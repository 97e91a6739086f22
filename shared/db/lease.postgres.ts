import { sql } from 'kysely';
import { type DatabasePool, overClient } from './pool.ts';

export type Lease = { readonly name: string; readonly holder: string; readonly fence: number };

/**
 * Takes the named lease unless another holder has it and its time has not run out. The database's clock decides,
 * so a holder with a wrong clock gains nothing. Returns undefined when somebody else holds it.
 */
export async function takeLease(
  pool: DatabasePool,
  input: { name: string; holder: string; ttlSeconds: number },
): Promise<Lease | undefined> {
  const client = await pool.connect();
  try {
    const row = await overClient(client)
      .insertInto('lease')
      .values({ name: input.name, holder: input.holder, fence: 1, expires_at: after(input.ttlSeconds) })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({
            holder: input.holder,
            fence: sql`lease.fence + 1`,
            expires_at: after(input.ttlSeconds),
          })
          .where((eb) =>
            eb.or([eb('lease.expires_at', '<', sql<Date>`now()`), eb('lease.holder', '=', input.holder)]),
          ),
      )
      .returning(['name', 'holder', 'fence'])
      .executeTakeFirst();
    return row;
  } finally {
    client.release();
  }
}

/** Gives the lease back early; a no-op when it has passed to another holder. */
export async function releaseLease(pool: DatabasePool, lease: Lease): Promise<void> {
  const client = await pool.connect();
  try {
    await overClient(client)
      .updateTable('lease')
      .set({ expires_at: sql`now()` })
      .where('name', '=', lease.name)
      .where('fence', '=', lease.fence)
      .execute();
  } finally {
    client.release();
  }
}

const after = (seconds: number) => sql<Date>`now() + make_interval(secs => ${seconds})`;
