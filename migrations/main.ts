import { CommandError, readArguments, runProgram, UsageError } from '../knative/local/command-line.ts';
import { openPool } from '../shared/db/index.ts';
import { systemClock, systemRandom } from '../shared/kernel/index.ts';
import { openKeyWrapper } from '../shared/secret/open-key-wrapper.ts';
import { bootstrapPlatform, issueOperatorKey } from './bootstrap-platform.ts';
import { migrateToLatest } from './index.ts';

const usage = `usage: npm run migrate -- [--issue-operator-key]

Brings the schema of DATABASE_OWNER_URL to its newest form and makes the platform's own organization.
  --issue-operator-key   afterwards prints a new API key of the platform's operator, alone on standard output; with the
                         KEY_WRAPPER_URL or WRAPPING_KEY_FILE of the functions, or they could not verify it`;

async function main(args: readonly string[]): Promise<boolean> {
  const { flag, places } = readArguments(args, { flags: ['issue-operator-key'] });
  if (places.length > 0) throw new UsageError(`"${places[0]}" is not understood`);
  const isKeyWanted = flag('issue-operator-key');
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
    if (!isKeyWanted) return true;
    const { KEY_WRAPPER_URL, WRAPPING_KEY_FILE } = process.env;
    const wrapper = await openKeyWrapper(deps, { KEY_WRAPPER_URL, WRAPPING_KEY_FILE });
    const issued = await issueOperatorKey({ ...deps, wrapper });
    console.log(issued.text);
    return true;
  } finally {
    await deps.pool.close();
  }
}

function required(name: string, meaning: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new CommandError(`${name} is not set: ${meaning}`);
  return value;
}

// Whatever fails here, a database away or a key that is not theirs, is for whoever runs it to put right.
await runProgram(usage, (args) =>
  main(args).catch((error: unknown) => {
    if (error instanceof UsageError || error instanceof CommandError) throw error;
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
  }),
);
