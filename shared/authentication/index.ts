/** Proving who calls: API keys and access tokens of this service, one answer for every refusal. */
export { type AuthenticationFailure, type Authenticator, type Principal, toActor } from './principal.ts';
