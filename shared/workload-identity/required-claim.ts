import { z } from 'zod';

/** A claim that must have exactly this value; nested ones are addressed by JSON pointer (RFC 6901). */
export const requiredClaimSchema = z.strictObject({
  pointer: z
    .string()
    .max(256)
    .regex(
      /^(?:\/(?:[^~/\p{Cc}]|~[01])+)+$/u,
      'must be a JSON pointer to a claim, as in /repository_owner_id or /kubernetes.io/serviceaccount/uid',
    ),
  value: z.union([z.string().min(1).max(512), z.number(), z.boolean()]),
});

export type RequiredClaim = Readonly<z.output<typeof requiredClaimSchema>>;

export const requiredClaimsMax = 10;

/** A number is not its text: an issuer that changes the type of a claim changed what it says. */
export function hasRequiredClaim(claims: object, { pointer, value }: RequiredClaim): boolean {
  return readClaim(claims, pointer) === value;
}

/** Own members of objects only: a place in a list says nothing about whom a token is for. */
function readClaim(claims: object, pointer: string): unknown {
  const names = pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce<unknown>((at, name) => {
    const isObject = typeof at === 'object' && at !== null && !Array.isArray(at);
    return isObject && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }, claims);
}
