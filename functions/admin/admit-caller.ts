import type { AuthenticationFailure, Principal } from '../../shared/authentication/index.ts';
import { networkOf, type ProblemFailure } from '../../shared/http/index.ts';
import { type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';
import { admitProven, attemptFrom, type ProvenCaller } from '../../shared/rate-limit/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import type { IncomingRequest } from './run-operation.ts';

/** Who calls, within the limits of its address, its key and itself. */
export async function admitCaller(
  deps: Pick<AdminDeps, 'authenticator' | 'limits' | 'logger'>,
  request: Pick<IncomingRequest, 'authorization' | 'clientAddress' | 'requestId'>,
): Promise<Result<Principal, ProblemFailure>> {
  const address = request.clientAddress;
  const attempt = await attemptFrom(deps.limits, networkOf(address), {
    run: () => deps.authenticator.authenticate(request.authorization, { address }),
    hasFailed: (caller) => !caller.ok && caller.failure.code === 'credential.invalid',
  });
  if ('admission' in attempt) {
    return tooOften(attempt.admission, 'Too many attempts from this address have failed');
  }
  const caller = attempt.outcome;
  if (!caller.ok) return refuse(deps, request.requestId, caller.failure);
  const admission = await admitProven(deps.limits, toProven(caller.value));
  return admission.isAdmitted ? ok(caller.value) : tooOften(admission);
}

function toProven({ organizationId, id, credential }: Principal): ProvenCaller {
  const keyId = credential.type === 'api_key' ? credential.id : undefined;
  return { callerId: `${organizationId} ${id}`, keyId };
}

function tooOften(refused: { retryAfterSeconds: number }, detail?: string): Fail<ProblemFailure> {
  const { retryAfterSeconds } = refused;
  return fail({
    code: 'rate_limit.exceeded',
    retryAfterSeconds,
    ...(detail === undefined ? {} : { detail }),
  });
}

function refuse(
  deps: Pick<AdminDeps, 'logger'>,
  requestId: string,
  failure: AuthenticationFailure,
): Fail<ProblemFailure> {
  if (failure.code !== 'credential.invalid') return fail(failure);
  deps.logger.info({ requestId, reason: failure.reason }, 'Credential refused');
  return fail({ code: 'credential.invalid' });
}
