/** Another run holds the lease, or took it over while this one was at work. Nothing was changed: try again later. */
export type RotationFailure = { readonly code: 'signing_key.rotation_busy' };

/** The private part is gone (retired) or does not open with this deployment's key ring. */
export type PrivateKeyFailure = { readonly code: 'signing_key.private_part_unavailable' };
