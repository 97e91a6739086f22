import type { ApiKeyFailure } from '../../shared/api-key/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, type Result } from '../../shared/kernel/index.ts';
import { malformed } from './parse-request.ts';

export function toApiKeyProblem(failure: ApiKeyFailure): Result<never, ProblemFailure> {
  switch (failure.code) {
    case 'api_key.not_found':
      return fail({ code: 'resource.not_found' });
    case 'api_key.owner_not_found':
      return fail({ code: 'resource.not_found', detail: 'There is no such active owner' });
    case 'api_key.organization_suspended':
      return fail({ code: 'resource.conflict', detail: 'The organization is suspended' });
    case 'api_key.expiry_in_past':
      return malformed([{ path: 'body.expiresAt', message: 'is in the past' }]);
    case 'api_key.not_active':
      return fail({ code: 'resource.conflict', detail: `The key is ${failure.status}` });
    case 'api_key.not_yours':
      return fail({
        code: 'authorization.not_permitted',
        detail: 'Only its owner can rotate a personal key, since its text opens what the owner may do',
      });
    case 'api_key.environment_fixed':
      return malformed([{ path: 'body.environment', message: `is ${failure.environment} and stays so` }]);
    case 'api_key.overlap_running':
      return fail({ code: 'resource.conflict', detail: toOverlapAdvice(failure.until) });
    case 'api_key.overlap_unavailable':
      return fail({
        code: 'resource.conflict',
        detail: 'The secret is kept in an older form: use the key once, or rotate with overlapSeconds 0',
      });
    case 'api_key.networks_beyond_caller':
      return fail({
        code: 'scope.beyond_rights',
        detail: `This credential works from ${failure.within.join(', ')} alone, so what it issues must too`,
      });
    case 'api_key.expiry_beyond_caller':
      return fail({
        code: 'scope.beyond_rights',
        detail: `This credential ends at ${failure.until.toISOString()}, so what it issues must not outlive it`,
      });
    case 'api_key.scope_beyond_owner':
      return fail({
        code: 'scope.beyond_rights',
        detail: `The owner holds none of: ${failure.scopes.join(', ')}`,
        scopes: failure.scopes,
      });
    case 'api_key.scope_beyond_caller':
      return fail({ code: 'scope.beyond_rights', ...toReachAdvice(failure.scopes) });
  }
}

function toOverlapAdvice(until: Date): string {
  return `Two secrets work until ${until.toISOString()}; rotate with overlapSeconds 0 to end both now`;
}

function toReachAdvice(scopes: readonly string[]) {
  if (scopes.length === 0) return { detail: 'This credential has scopes, so what it issues must have some' };
  return { detail: `This credential does not reach: ${scopes.join(', ')}`, scopes };
}
