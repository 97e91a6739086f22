import { sql } from 'kysely';
import type { OrgTransaction, Rows } from '../db/index.ts';
import type { SubjectKey } from './subject-key.ts';
import type { SubjectKeyStore } from './subject-key-store.ts';

export const postgresSubjectKeyStore: SubjectKeyStore = {
  list: async (tx, subjects) => (await select(tx, subjects).execute()).map(toSubjectKey),
  hold: async (tx, subjects) => (await select(tx, subjects).forShare().execute()).map(toSubjectKey),
  addMissing: async (tx, organizationId, keys) => {
    // Arrays, so that a change set of any size is one statement with five parameters.
    await sql`
      insert into subject_key (org_id, subject_id, generation, key_sealed, created_at)
      select ${organizationId}, k.*
        from unnest(
          ${keys.map(({ subject }) => subject)}::text[],
          ${keys.map(({ generation }) => generation)}::integer[],
          ${keys.map(({ sealed }) => Buffer.from(sealed))}::bytea[],
          ${keys.map(({ createdAt }) => createdAt)}::timestamptz[]
        ) k
      on conflict do nothing`.execute(tx);
  },
  destroy: async (tx, { subject, by, at }) => {
    const { numUpdatedRows } = await tx
      .updateTable('subject_key')
      .set({ key_sealed: null, destroyed_at: at, destroyed_by: by })
      .where('subject_id', '=', subject)
      .where('destroyed_at', 'is', null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  },
  addDestroyed: async (tx, organizationId, { subject, by, at }) => {
    await tx
      .insertInto('subject_key')
      .values({
        org_id: organizationId,
        subject_id: subject,
        generation: 1,
        key_sealed: null,
        created_at: at,
        destroyed_at: at,
        destroyed_by: by,
      })
      .execute();
  },
};

/** In one order, so that two change sets that hold the same keys do not wait for each other. */
function select(tx: OrgTransaction, subjects: readonly string[]) {
  return tx
    .selectFrom('subject_key')
    .select(['subject_id', 'generation', 'key_sealed', 'created_at', 'destroyed_at'])
    .where('subject_id', '=', sql<string>`any(${[...subjects]}::text[])`)
    .orderBy('subject_id')
    .orderBy('generation');
}

function toSubjectKey(row: Omit<Rows.SubjectKeyRow, 'org_id' | 'destroyed_by'>): SubjectKey {
  return {
    subject: row.subject_id,
    generation: row.generation,
    sealed: row.key_sealed ?? undefined,
    createdAt: row.created_at,
    destroyedAt: row.destroyed_at ?? undefined,
  };
}
