import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder that holds what we fetch or build once for a machine: one entry `<name>@<version>` each. */
export function toolCache(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'uos-tools');
}
