import { type Fail, fail } from '../kernel/index.ts';

/**
 * Whoever asked us to fetch does not learn whether a name that is not public stands for anything inside
 * (`unresolved`, `address_refused`), or it could scan our networks through us.
 */
export type RemoteJsonFailure = {
  readonly code: 'remote_json.unavailable';
  readonly reason:
    | 'url_refused'
    | 'too_many_names'
    | 'unresolved'
    | 'address_refused'
    | 'unreachable'
    | 'timeout'
    | 'redirect'
    | 'status'
    | 'too_large'
    | 'not_json';
};

export function refuse(reason: RemoteJsonFailure['reason']): Fail<RemoteJsonFailure> {
  return fail({ code: 'remote_json.unavailable', reason });
}
