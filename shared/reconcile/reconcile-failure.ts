import type { GitFailure, RemovalsExceedGuard } from '../declarative/index.ts';

/** Why one organization keeps its last good state, in terms that its owners can act on. */
export type Refusal = {
  readonly code:
    | 'declaration.invalid'
    | RemovalsExceedGuard['code']
    | 'organization.claimed_by_other_source'
    | 'organization.not_declared_by_git';
  readonly message: string;
  /** `file:line:column: message`, at most `faultsMax`. */
  readonly faults: readonly string[];
};

export type ReconcileFailure =
  | { readonly code: 'git_source.not_found' }
  /** Another run of this source is under way: try again later. */
  | { readonly code: 'reconcile.busy' }
  /** `isTransient` tells whether asking again may help; else the source is stalled until somebody changes something. */
  | { readonly code: 'reconcile.fetch_failed'; readonly cause: GitFailure; readonly isTransient: boolean }
  /** All others were dealt with; these were not, by a fault of ours or because they kept changing: try again later. */
  | {
      readonly code: 'reconcile.incomplete';
      readonly organizations: readonly string[];
      readonly causes: readonly unknown[];
    };
