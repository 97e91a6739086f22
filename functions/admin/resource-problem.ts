import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, type Result } from '../../shared/kernel/index.ts';
import type { ResourceFailure } from '../../shared/resource/index.ts';
import { malformed } from './parse-request.ts';

/** What does not exist, when it is named in the body, is a fault of that field. */
export function toResourceProblem(failure: ResourceFailure): Result<never, ProblemFailure> {
  switch (failure.code) {
    case 'resource.type_unknown':
      return malformed([{ path: 'body.type', message: 'is not a registered resource type' }]);
    case 'resource.team_unknown':
      return malformed([{ path: 'body.team', message: 'is not a team of this organization' }]);
    case 'resource.owner_unknown':
      return malformed([
        { path: 'body.owner', message: 'is not a member or service account of this organization' },
      ]);
    case 'resource.already_registered':
      return fail({ code: 'resource.already_exists', detail: 'The type has a resource of this id' });
    case 'resource.not_registered':
      return fail({ code: 'resource.not_found' });
  }
}
