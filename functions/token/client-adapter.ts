import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Random } from '../../shared/kernel/index.ts';
import { type ServiceAccountId, serviceAccountId } from '../../shared/service-account/index.ts';

/**
 * Every well-formed service account id is a client here, and whether it exists is decided with its secret: one API
 * key lookup that an unknown client, a wrong secret and a revoked key all go through. A lookup of the client first
 * would tell by its time which ids exist (ASVS 6.3.8).
 */
export function createClientAdapter(deps: { readonly random: Random }): Adapter {
  // The library wants a secret in the client's metadata. This one is never compared (see client-authentication.ts);
  // should that ever be lost, nobody knows it, so nobody gets in.
  const secret = Buffer.from(deps.random.bytes(32)).toString('base64url');
  return {
    find: async (id) => (serviceAccountId.is(id) ? toMetadata(id, secret) : undefined),
    findByUid: refuse,
    findByUserCode: refuse,
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  };
}

function toMetadata(id: ServiceAccountId, secret: string): AdapterPayload {
  return {
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
}

async function refuse(): Promise<never> {
  throw new Error('Clients are declared, never stored by the OAuth library');
}
