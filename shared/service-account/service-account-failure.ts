export type ServiceAccountFailure =
  | { readonly code: 'service_account.name_taken'; readonly name: string }
  | { readonly code: 'service_account.not_found' };
