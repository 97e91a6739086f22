/** Names are unique across the deployment, so this tells that an organization of that name exists. */
export type OrganizationFailure = { readonly code: 'organization.name_taken'; readonly name: string };
