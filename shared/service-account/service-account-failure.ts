export type ServiceAccountFailure =
  | { readonly code: 'service_account.name_taken'; readonly name: string }
  | { readonly code: 'service_account.not_found' }
  | { readonly code: 'service_account.team_unknown' }
  | { readonly code: 'service_account.expiry_in_past' }
  | { readonly code: 'service_account.deleted' }
  /** It is declared elsewhere, and a change here would not last. */
  | { readonly code: 'service_account.declared_elsewhere'; readonly managedBy: 'git' | 'platform' };

export type FailureOf<Reason extends string> = Extract<
  ServiceAccountFailure,
  { code: `service_account.${Reason}` }
>;
