/**
 * Public keys of foreign token issuers, found by OpenID Connect discovery at addresses that tenants choose.
 *
 * Invariants: nothing but public https is connected to unless the operator listed the issuer, and always the address
 * that was checked; no redirect is followed; time, size, number of issuers and number of fetches are bounded, those of
 * each organization apart; an issuer speaks for itself alone.
 *
 * @example
 * const keys = createIssuerKeys({ fetchJson: createRemoteJsonFetch(), internalIssuers: new Set(), clock });
 * const found = await keys.find({ issuer: 'https://token.actions.githubusercontent.com', kid, organizationId });
 */
export type { FetchIssuerKeysDeps, IssuerKeysFailure } from './fetch-issuer-keys.ts';
export {
  createIssuerKeys,
  type IssuerKeys,
  type IssuerKeysDeps,
  type IssuerKeysQuery,
} from './issuer-keys.ts';
export { isIssuerUrl } from './issuer-url.ts';
export { type JsonWebKeySet, jsonWebKeySetSchema } from './json-web-key-set.ts';
export {
  createRemoteJsonFetch,
  type FetchRemoteJson,
  type RemoteJson,
  type RemoteJsonDeps,
} from './remote-json.ts';
export type { RemoteJsonFailure } from './remote-json-failure.ts';
export { isPublicUrl } from './remote-url.ts';
