export type GitSourceFailure =
  | { readonly code: 'git_source.invalid'; readonly field: 'url' | 'ref'; readonly problem: string }
  /** This branch of this repository is registered already. */
  | { readonly code: 'git_source.already_registered'; readonly url: string; readonly ref: string };
