import type { z } from 'zod';

/** Thrown at start, with every fault of the environment at once: a start that fails five times teaches nothing. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Parses environment variables by a schema. Messages name the variable and what is wrong, never its value. */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  // An empty variable is an absent one: manifests cannot leave a name out conditionally.
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.') || 'environment'}: ${issue.message}`,
  );
  throw new ConfigError(`The environment does not fit; nothing was started\n${faults.join('\n')}`);
}
