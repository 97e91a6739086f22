import { join } from 'node:path';
import { bootstrapPlatform, issueOperatorKey } from '../../migrations/bootstrap-platform.ts';
import { openPool } from '../../shared/db/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { type PlatformState, readOperatorKey, writeOperatorKey } from './state.ts';

/** Makes the platform's own organization, and on first use a key of its operator, kept in a file of the state. */
export async function ensureOperatorKey(ownerUrl: string, state: PlatformState): Promise<string> {
  const pool = openPool({ url: ownerUrl, applicationName: 'uos-local', connectionsMax: 2 });
  const deps = { pool, clock: systemClock, random: systemRandom };
  try {
    await bootstrapPlatform(deps);
    const kept = await readOperatorKey(state);
    if (kept !== undefined) return kept;
    const wrapper = await openFileKeyWrapper(deps, join(state.volumes['wrapping-key'], 'key'));
    const issued = await issueOperatorKey({ ...deps, wrapper });
    await writeOperatorKey(state, issued.text);
    return issued.text;
  } finally {
    await pool.close();
  }
}
