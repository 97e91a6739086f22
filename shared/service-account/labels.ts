import { z } from 'zod';

export const labelsMax = 32;

const keyPattern = /^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._/:-]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Words to find things by, as in `{ "team": "payments", "env": "prod" }`. Neither a comma nor an equals sign is in
 * them, which separate labels in a filter, nor a space or an at sign: they are no place for prose or addresses.
 */
export const labelsSchema = z
  .record(
    z.string().regex(keyPattern, 'must be 1 to 63 of a-z, 0-9 and inner "." "_" "/" "-"'),
    z.string().regex(valuePattern, 'must be at most 63 of A-Z, a-z, 0-9 and inner "." "_" "/" ":" "-"'),
  )
  .refine((labels) => Object.keys(labels).length <= labelsMax, `must be at most ${labelsMax} labels`);

export type Labels = Readonly<Record<string, string>>;

/** `team=payments,env=prod`: all of them. Undefined when it is not of that form. */
export function parseLabelFilter(text: string): Labels | undefined {
  const entries = text.split(',').map((label) => label.split('='));
  if (entries.some((entry) => entry.length !== 2)) return undefined;
  const parsed = labelsSchema.safeParse(Object.fromEntries(entries));
  // One fewer would find more: of a name that is there twice, and of `__proto__`, which is passed over.
  return parsed.success && Object.keys(parsed.data).length === entries.length ? parsed.data : undefined;
}
