import { withSystem } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { activeKey, type SigningKey } from '../../shared/signing-key/index.ts';
import { signingKeysView } from './list-signing-keys.schema.ts';
import { defineOperation } from './operation.ts';

export const listSigningKeysOperation = defineOperation({
  id: 'listSigningKeys',
  method: 'get',
  path: '/v1/signing-keys',
  summary: 'List the keys that sign and verify access tokens; there are never many',
  permission: 'signing_key:rotate',
  response: signingKeysView,
  act: async (deps) => {
    const keys = await withSystem(deps.pool, (tx) => deps.stores.signingKey.list(tx));
    const now = deps.clock.now();
    const isActive = (key: SigningKey) => activeKey(keys, { algorithm: key.algorithm, now }) === key;
    return ok({ body: { items: keys.map((key) => toView(key, isActive(key))) } });
  },
});

function toView(key: SigningKey, isSigning: boolean) {
  return {
    id: key.keyId,
    algorithm: key.algorithm,
    isSigning,
    publishedAt: key.publishedAt.toISOString(),
    activeFrom: key.activeFrom.toISOString(),
    ...(key.verifyUntil && { verifyUntil: key.verifyUntil.toISOString() }),
  };
}
