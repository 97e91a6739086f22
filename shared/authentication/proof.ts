import { type Fail, fail, type Result } from '../kernel/index.ts';
import type { AuthenticationFailure, CallerOrigin, Principal } from './principal.ts';

/** Proves one kind of credential. */
export type Proof = (
  text: string,
  from: CallerOrigin | undefined,
) => Promise<Result<Principal, AuthenticationFailure>>;

export function invalid(reason: string): Fail<AuthenticationFailure> {
  return fail({ code: 'credential.invalid', reason });
}
