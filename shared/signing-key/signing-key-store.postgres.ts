import { sql } from 'kysely';
import type { Rows } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';
import { algorithmOf, publicJwkSchema, type SigningAlgorithm, signingAlgorithms } from './jwk.ts';
import type { SigningKey } from './signing-key.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

const columns = ['key_id', 'algorithm', 'public_jwk', 'published_at', 'active_from', 'verify_until'] as const;

export const postgresSigningKeyStore: SigningKeyStore = {
  list: async (tx) => {
    const rows = await tx
      .selectFrom('signing_key')
      .select(columns)
      .where('private_jwk_sealed', 'is not', null)
      .orderBy('active_from')
      .orderBy('key_id')
      .execute();
    return rows.map(toSigningKey);
  },
  findSealedPrivateJwk: async (tx, keyId) => {
    const row = await tx
      .selectFrom('signing_key')
      .select('private_jwk_sealed')
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    return row?.private_jwk_sealed ?? undefined;
  },
  now: async (tx) => {
    // Not now(), which stands still since the transaction began and so does not see how long the lock took.
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(tx);
    const [row] = rows;
    invariant(row !== undefined, 'the database told no time');
    return row.now;
  },
  lock: async (tx) => {
    await sql`lock table signing_key in share row exclusive mode`.execute(tx);
  },
  add: async (tx, key, privateJwkSealed) => {
    await tx
      .insertInto('signing_key')
      .values({
        key_id: key.keyId,
        algorithm: key.algorithm,
        public_jwk: JSON.stringify(key.publicJwk),
        private_jwk_sealed: Buffer.from(privateJwkSealed),
        published_at: key.publishedAt,
        active_from: key.activeFrom,
        verify_until: key.verifyUntil ?? null,
        created_at: key.publishedAt,
      })
      .execute();
  },
  supersede: async (tx, input) => {
    await tx
      .updateTable('signing_key')
      .set({ verify_until: input.verifyUntil ?? null })
      .where('key_id', '=', input.keyId)
      .execute();
  },
  reschedule: async (tx, input) => {
    await tx
      .updateTable('signing_key')
      .set({ published_at: input.publishedAt, active_from: input.activeFrom })
      .where('key_id', '=', input.keyId)
      .execute();
  },
  retire: async (tx, keyId) => {
    const row = await tx
      .updateTable('signing_key')
      .set({ private_jwk_sealed: null })
      .where('key_id', '=', keyId)
      .where('private_jwk_sealed', 'is not', null)
      .returning('key_id')
      .executeTakeFirst();
    return row !== undefined;
  },
  revoke: async (tx, { keyId, revokedAt, revokedBy }) => {
    await tx
      .updateTable('signing_key')
      .set({
        private_jwk_sealed: null,
        verify_until: revokedAt,
        revoked_at: revokedAt,
        revoked_by: revokedBy,
      })
      .where('key_id', '=', keyId)
      .execute();
  },
  findRevoked: async (tx, keyId) => {
    const row = await tx
      .selectFrom('signing_key')
      .select(['algorithm', 'revoked_at'])
      .where('key_id', '=', keyId)
      .executeTakeFirst();
    if (row?.revoked_at == null) return undefined;
    return { keyId, algorithm: toAlgorithm(row.algorithm), revokedAt: row.revoked_at };
  },
  confirmLease: async (tx, lease) => {
    const row = await tx
      .selectFrom('lease')
      .select('fence')
      .where('name', '=', lease.name)
      .where('holder', '=', lease.holder)
      .where('fence', '=', lease.fence)
      .forUpdate()
      .executeTakeFirst();
    return row !== undefined;
  },
  addRequest: async (tx, request) => {
    await tx
      .insertInto('signing_key_rotation_request')
      .values({
        request_id: request.requestId,
        requested_by: request.requestedBy,
        requested_at: request.requestedAt,
        done_at: null,
      })
      .execute();
  },
  findOpenRequestTime: async (tx) => {
    const row = await tx
      .selectFrom('signing_key_rotation_request')
      .select('requested_at')
      .where('done_at', 'is', null)
      .orderBy('requested_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row?.requested_at;
  },
  closeRequests: async (tx, input) => {
    await tx
      .updateTable('signing_key_rotation_request')
      .set({ done_at: input.at })
      .where('done_at', 'is', null)
      .where('requested_at', '<=', input.madeUntil)
      .execute();
  },
};

type Row = Pick<Rows.SigningKeyRow, Exclude<(typeof columns)[number], 'public_jwk'>> & {
  readonly public_jwk: Readonly<Record<string, string>>;
};

/** A row whose algorithm is not that of its key would let a token choose how it is verified. */
function toSigningKey(row: Row): SigningKey {
  const algorithm = toAlgorithm(row.algorithm);
  const publicJwk = publicJwkSchema.parse(row.public_jwk);
  invariant(algorithmOf(publicJwk) === algorithm, `signing key ${row.key_id} is not for ${algorithm}`);
  return {
    keyId: row.key_id,
    algorithm,
    publicJwk,
    publishedAt: row.published_at,
    activeFrom: row.active_from,
    verifyUntil: row.verify_until ?? undefined,
  };
}

function toAlgorithm(text: string): SigningAlgorithm {
  const algorithm = signingAlgorithms.find((known) => known === text);
  invariant(algorithm !== undefined, `there is no signing algorithm ${text}`);
  return algorithm;
}
