import { openPool } from '../shared/db/index.ts';
import { systemClock, systemRandom } from '../shared/kernel/index.ts';
import { openKeyWrapper } from '../shared/secret/open-key-wrapper.ts';
import { bootstrapPlatform, issueOperatorKey } from './bootstrap-platform.ts';
import { migrateToLatest } from './index.ts';

/**
 * `npm run migrate`: brings the schema to its newest form and makes the platform's own organization.
 * `npm run migrate -- --issue-operator-key`: afterwards prints a new key of the operator, alone on standard output.
 */
async function main(args: readonly string[]): Promise<void> {
  const isKeyWanted = args.includes('--issue-operator-key');
  const ownerUrl = required('DATABASE_OWNER_URL', 'a postgres:// URL of the role that owns the schema');
  const applied = await migrateToLatest(ownerUrl);
  console.error(applied.length === 0 ? 'The schema is up to date' : `Applied ${applied.join(', ')}`);
  const deps = {
    clock: systemClock,
    random: systemRandom,
    pool: openPool({ url: ownerUrl, applicationName: 'uos-migrate', connectionsMax: 2 }),
  };
  try {
    const { operatorId } = await bootstrapPlatform(deps);
    console.error(`The platform's operator is ${operatorId}`);
    if (!isKeyWanted) return;
    // What the functions use, or they could not verify the key.
    const { KEY_WRAPPER_URL, WRAPPING_KEY_FILE } = process.env;
    const wrapper = await openKeyWrapper(deps, { KEY_WRAPPER_URL, WRAPPING_KEY_FILE });
    const issued = await issueOperatorKey({ ...deps, wrapper });
    console.log(issued.text);
  } finally {
    await deps.pool.close();
  }
}

function required(name: string, meaning: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: ${meaning}`);
  return value;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
