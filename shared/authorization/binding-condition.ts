import { z } from 'zod';

/** `max_age_seconds` counts from `auth_time`, OpenID Connect Core section 2. */
const mfa = z
  .strictObject({
    level: z.enum(['multi_factor', 'phishing_resistant']).exactOptional(),
    /** An authentication context class, to be met exactly. Excludes `level`. */
    acr: z.string().min(1).max(256).exactOptional(),
    max_age_seconds: z.int().min(0).max(31_536_000).exactOptional(),
  })
  .refine(({ level, acr }) => level === undefined || acr === undefined, 'names a level or an acr, not both');

/** An IPv4 block is written as one: addresses of the two families never lie in each other's blocks. */
const cidr = z
  .union([z.cidrv4(), z.cidrv6()], 'must be a CIDR block, as in 10.0.0.0/8')
  .refine((block) => !/^[0:]*:ffff:/i.test(block), 'must be written as an IPv4 block');

/** UTC. `from_minute` and `to_minute` count from midnight; from above to runs past it. Each day is its own. */
const time = z.strictObject({
  /** ISO 8601: Monday is 1. */
  weekdays: z.array(z.int().min(1).max(7)).min(1).max(7).exactOptional(),
  from_minute: z.int().min(0).max(1439).exactOptional(),
  /** The first minute that is outside. */
  to_minute: z.int().min(1).max(1440).exactOptional(),
  /** Seconds since the epoch; `not_after` is the last that counts. */
  not_before: z.int().exactOptional(),
  not_after: z.int().exactOptional(),
});

const resource = z.strictObject({
  attribute: z.string().min(1).max(128),
  /** A value, or `subject.<attribute>`: what the request says of the subject, `subject.id` being what we know. */
  equals: z.union([z.string().max(1024), z.number(), z.boolean()]),
});

/** One demand of a binding. Keys are those of the policy's input, where it is judged. */
const bindingConditionSchema = z.union([
  z.strictObject({ mfa }),
  z.strictObject({ network: z.strictObject({ cidrs: z.array(cidr).min(1).max(64) }) }),
  z.strictObject({ time }),
  z.strictObject({ resource }),
]);

/** All of them must hold; none means that the binding holds whenever it has not expired. */
export const bindingConditionsSchema = z.array(bindingConditionSchema).max(8);

export type BindingCondition = z.output<typeof bindingConditionSchema>;
