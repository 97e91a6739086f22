/**
 * Proving who calls: API keys and access tokens of this service, one answer for every refusal. Invariants: a revoked
 * key, a token issued for it, a disabled account and a suspended organization are refused everywhere within a second;
 * no secret is kept in memory in the clear.
 *
 * @example
 * const authenticator = createAuthenticator({ apiKeys, accessTokens, signingKeys, facts, feed });
 * const caller = await authenticator.authenticate(req.headers.authorization, { address: context.clientAddress });
 */
export { createAuthenticator } from './authenticate.ts';
export type { AuthenticatorDeps } from './authenticator-deps.ts';
export { findInactivity } from './find-inactivity.ts';
export {
  type AuthenticationFailure,
  type Authenticator,
  type CallerOrigin,
  type Principal,
  toActor,
} from './principal.ts';
