import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { permissionPatternSchema } from '../../shared/authorization/index.ts';

const roleSchema = z.strictObject({
  description: z.string(),
  permissions: z.array(permissionPatternSchema),
  mfa: z.boolean().exactOptional(),
  platform: z.boolean().exactOptional(),
});

/** The built-in roles: the one thing that the policy and the model share, being data. */
export function readRoleTable() {
  const file = join(import.meta.dirname, '../../policies/data/roles/data.json');
  return z.record(z.string(), roleSchema).parse(JSON.parse(readFileSync(file, 'utf8')));
}
