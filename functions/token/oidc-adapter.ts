import { createHmac, hkdfSync } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { type DatabasePool, type SystemTransaction, withSystem } from '../../shared/db/index.ts';
import { type Clock, invariant, secondsAfter, toNumericDate } from '../../shared/kernel/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import type { OidcRecordLookup, OidcRecordStore, StoredOidcRecord } from '../../shared/token/index.ts';

export type OidcAdapterDeps = {
  readonly pool: DatabasePool;
  readonly store: OidcRecordStore;
  /** Of purpose `oidc-record`. */
  readonly ring: KeyRing;
  readonly clock: Clock;
};

/**
 * The library's adapter contract over our records. What it calls an id is the token or cookie value itself, and the
 * payload repeats it: ids are kept as HMAC, payloads sealed under model and id.
 */
export async function openOidcAdapter(deps: OidcAdapterDeps): Promise<(model: string) => Adapter> {
  const indexKey = await openIndexKey(deps.ring);
  return (model) => createAdapter({ ...deps, indexKey }, model);
}

/**
 * Always derived from the first data key: a later version would hide every record written before. Ids of tokens
 * have 256 random bits, so it guards the short user codes above all.
 */
async function openIndexKey(ring: KeyRing): Promise<Uint8Array> {
  const first = await ring.find(1);
  invariant(first, 'the key ring for OAuth records has no first key');
  return new Uint8Array(hkdfSync('sha256', first.bytes, Buffer.alloc(0), 'oidc-record-index', 32));
}

type Context = OidcAdapterDeps & { readonly indexKey: Uint8Array };

function createAdapter(context: Context, model: string): Adapter {
  const { store, clock } = context;
  const within = <T>(work: (tx: SystemTransaction) => Promise<T>) => withSystem(context.pool, work);
  const hashed = (text: string) =>
    createHmac('sha256', context.indexKey).update(`${model}:`).update(text).digest();
  // A grant id is looked for under each model that belongs to the grant, so it is hashed without the model.
  const hashedGrant = (text: string) =>
    createHmac('sha256', context.indexKey).update('grant:').update(text).digest();
  const find = async (by: OidcRecordLookup, text: string) => {
    const input = { model, by, hash: hashed(text), at: clock.now() };
    const record = await within((tx) => store.find(tx, input));
    return record && openPayload(context, record);
  };
  return {
    upsert: async (id, payload, expiresIn) => {
      const idHash = hashed(id);
      const { uid, userCode, grantId, accountId } = payload;
      const record = {
        model,
        idHash,
        payloadSealed: await context.ring.seal(JSON.stringify(payload), sealContext(model, idHash)),
        grantIdHash: grantId === undefined ? undefined : hashedGrant(grantId),
        uidHash: uid === undefined ? undefined : hashed(uid),
        userCodeHash: userCode === undefined ? undefined : hashed(userCode),
        accountId,
        expiresAt: expiresIn === undefined ? undefined : secondsAfter(clock.now(), expiresIn),
      };
      await within((tx) => store.upsert(tx, record));
    },
    find: (id) => find('idHash', id),
    findByUid: (uid) => find('uidHash', uid),
    findByUserCode: (userCode) => find('userCodeHash', userCode),
    consume: async (id) => {
      const isFirst = await within((tx) => store.consume(tx, { model, idHash: hashed(id), at: clock.now() }));
      // The library reads before it consumes, so two requests can both get here: only one may go on (RFC 9700 4.14).
      if (!isFirst) throw new errors.InvalidGrant('it was consumed by another request');
    },
    destroy: (id) => within((tx) => store.remove(tx, { model, idHash: hashed(id) })),
    revokeByGrantId: (grantId) =>
      within((tx) => store.removeByGrant(tx, { model, grantIdHash: hashedGrant(grantId) })),
  };
}

async function openPayload(context: Context, record: StoredOidcRecord): Promise<AdapterPayload> {
  const opened = await context.ring.open(record.payloadSealed, sealContext(record.model, record.idHash));
  if (!opened.ok) throw new Error(`A stored ${record.model} does not open: ${opened.failure.code}`);
  const payload: AdapterPayload = JSON.parse(opened.value.toString('utf8'));
  return record.consumedAt === undefined
    ? payload
    : { ...payload, consumed: toNumericDate(record.consumedAt) };
}

function sealContext(model: string, idHash: Uint8Array): string {
  return `${model}:${Buffer.from(idHash).toString('hex')}`;
}
