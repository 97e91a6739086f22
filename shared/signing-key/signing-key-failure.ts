/** Another run holds the lease, or took it over while this one was at work. Nothing was changed: try again later. */
export type RotationFailure = { readonly code: 'signing_key.rotation_busy' };

/** The private part is gone (retired) or does not open with this deployment's key ring. */
export type PrivateKeyFailure = { readonly code: 'signing_key.private_part_unavailable' };

/** No key of this id was ever published, or it retired by its age: there is nothing left to revoke. */
export type UnknownSigningKey = { readonly code: 'signing_key.unknown' };
