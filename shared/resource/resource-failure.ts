export type ResourceTypeFailure =
  | { readonly code: 'resource_type.already_registered'; readonly name: string }
  | { readonly code: 'resource_type.name_reserved'; readonly name: string }
  | { readonly code: 'resource_type.limit_reached'; readonly limit: number };

export type ResourceFailure =
  | { readonly code: 'resource.type_unknown'; readonly type: string }
  | { readonly code: 'resource.already_registered' }
  | { readonly code: 'resource.not_registered' }
  | { readonly code: 'resource.team_unknown'; readonly team: string }
  | { readonly code: 'resource.owner_unknown'; readonly owner: string };
