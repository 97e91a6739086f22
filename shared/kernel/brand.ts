declare const brand: unique symbol;

/** A primitive that only its own constructor may make: `Brand<string, 'OrganizationId'>`. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
