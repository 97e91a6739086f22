import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Random } from '../../shared/kernel/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { trustRuleId } from '../../shared/workload-identity/index.ts';
import { grantTypes } from './grant-types.ts';

/**
 * Every well-formed service account id is a client here, and whether it exists is decided with its secret: one API
 * key lookup that an unknown client, a wrong secret and a revoked key all go through. A lookup of the client first
 * would tell by its time which ids exist (ASVS 6.3.8). So is every well-formed trust rule id: it has no secret, since
 * the foreign token is the proof (RFC 7521 section 4.1).
 */
export function createClientAdapter(deps: { readonly random: Random }): Adapter {
  // The library wants a secret in the client's metadata. This one is never compared (see client-authentication.ts);
  // should that ever be lost, nobody knows it, so nobody gets in.
  const secret = Buffer.from(deps.random.bytes(32)).toString('base64url');
  return {
    find: async (id) => {
      if (serviceAccountId.is(id)) return toAccount(id, secret);
      return trustRuleId.is(id) ? toWorkload(id) : undefined;
    },
    findByUid: refuse,
    findByUserCode: refuse,
    upsert: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  };
}

const common = { response_types: [], redirect_uris: [] };

function toAccount(id: string, secret: string): AdapterPayload {
  return {
    ...common,
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: [grantTypes.clientCredentials, grantTypes.tokenExchange],
  };
}

function toWorkload(id: string): AdapterPayload {
  return {
    ...common,
    client_id: id,
    token_endpoint_auth_method: 'none',
    grant_types: [grantTypes.tokenExchange, grantTypes.jwtBearer],
  };
}

async function refuse(): Promise<never> {
  throw new Error('Clients are declared, never stored by the OAuth library');
}
