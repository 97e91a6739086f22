import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, type Result } from '../../shared/kernel/index.ts';
import type { ServiceAccountFailure } from '../../shared/service-account/index.ts';
import { malformed } from './parse-request.ts';

/** What does not exist, when it is named in the body, is a fault of that field. */
export function toServiceAccountProblem(failure: ServiceAccountFailure): Result<never, ProblemFailure> {
  switch (failure.code) {
    case 'service_account.name_taken':
      return fail({
        code: 'resource.already_exists',
        detail: `A service account is named "${failure.name}"`,
      });
    case 'service_account.not_found':
      return fail({ code: 'resource.not_found' });
    case 'service_account.team_unknown':
      return malformed([{ path: 'body.ownerTeamId', message: 'is not a team of this organization' }]);
    case 'service_account.expiry_in_past':
      return malformed([{ path: 'body.expiresAt', message: 'must be in the future' }]);
    case 'service_account.deleted':
      return fail({ code: 'resource.conflict', detail: 'The service account is deleted, which is for ever' });
    case 'service_account.declared_elsewhere':
      return fail({ code: 'resource.conflict', detail: toAdvice(failure.managedBy) });
  }
}

function toAdvice(managedBy: 'git' | 'platform'): string {
  if (managedBy === 'platform') return 'The service account is the platform’s own; it can only be disabled';
  return 'The service account is declared in Git: change it there. It can be disabled here at once';
}
