import type { Rows } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';
import type { PublicJwk, SigningKey } from './signing-key.ts';
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
      .set({ verify_until: input.verifyUntil })
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

function toSigningKey(row: Row): SigningKey {
  invariant(row.algorithm === 'ES256', `signing key ${row.key_id} has algorithm ${row.algorithm}`);
  return {
    keyId: row.key_id,
    algorithm: row.algorithm,
    publicJwk: toPublicJwk(row.public_jwk),
    publishedAt: row.published_at,
    activeFrom: row.active_from,
    verifyUntil: row.verify_until ?? undefined,
  };
}

/** Member by member: whatever else the column may hold is never shown. */
function toPublicJwk(jwk: Readonly<Record<string, string>>): PublicJwk {
  const { kty, crv, x, y } = jwk;
  invariant(kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined, 'not a P-256 public key');
  return { kty, crv, x, y };
}
