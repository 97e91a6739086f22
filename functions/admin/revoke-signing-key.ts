import { fail, ok } from '../../shared/kernel/index.ts';
import { revokeSigningKey } from '../../shared/signing-key/index.ts';
import { defineOperation } from './operation.ts';
import {
  revokedSigningKeyView,
  revokeSigningKeyBody,
  signingKeyIdField,
} from './revoke-signing-key.schema.ts';

export const revokeSigningKeyOperation = defineOperation({
  id: 'revokeSigningKey',
  method: 'post',
  path: '/v1/signing-keys/{signingKey}/revoke',
  summary:
    'Emergency: withdraw a signing key at once, refuse every token it signed and replace it; repeating changes nothing',
  permission: 'signing_key:revoke',
  params: { signingKey: signingKeyIdField },
  body: revokeSigningKeyBody,
  response: revokedSigningKeyView,
  example: { path: { signingKey: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' } },
  act: async (deps, { actor, params, body }) => {
    const revoked = await revokeSigningKey(
      { ...deps, store: deps.stores.signingKey, ring: deps.rings.signingKeys },
      {
        keyId: params.signingKey,
        actor,
        ...(body.reason === undefined ? {} : { reason: body.reason }),
      },
    );
    if (!revoked.ok) return fail({ code: 'resource.not_found' });
    const { keyId, algorithm, revokedAt } = revoked.value;
    return ok({ body: { id: keyId, algorithm, revokedAt: revokedAt.toISOString() } });
  },
});
