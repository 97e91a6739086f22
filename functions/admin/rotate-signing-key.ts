import { ok } from '../../shared/kernel/index.ts';
import { requestRotation } from '../../shared/signing-key/index.ts';
import { defineOperation } from './operation.ts';
import { rotationRequestView } from './rotate-signing-key.schema.ts';

export const rotateSigningKeyOperation = defineOperation({
  id: 'rotateSigningKey',
  method: 'post',
  path: '/v1/signing-keys/rotate',
  summary: 'Ask for a new signing key; it is published before it signs, and the old one verifies on',
  permission: 'signing_key:rotate',
  status: 202,
  creates: true,
  response: rotationRequestView,
  act: async (deps, { actor }) => {
    const requested = await requestRotation({ ...deps, store: deps.stores.signingKey }, { actor });
    return ok({
      location: '/v1/signing-keys',
      body: {
        id: requested.requestId,
        requestedBy: requested.requestedBy,
        requestedAt: requested.requestedAt.toISOString(),
      },
    });
  },
});
