import { CommandError, readArguments, runProgram, UsageError } from '../../knative/local/command-line.ts';
import { openPool } from '../../shared/db/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { seedDatabase } from './seed.ts';
import { keyTextOf, seedScales } from './seed-plan.ts';

const usage = `usage: npm run seed -- <--full | --small>
Fills the empty, migrated database of DATABASE_OWNER_URL; the keys work with the wrapping key of WRAPPING_KEY_FILE.
  --full   20 000 organizations, 200 000 users, 500 000 API keys
  --small  a hundredth of it
The same data every time. The last line is a key that may ask about anyone of the largest organization.
`;

async function main(args: readonly string[]): Promise<boolean> {
  const { flag, places } = readArguments(args, { flags: ['full', 'small'] });
  if (flag('full') === flag('small') || places.length > 0) throw new UsageError('--full or --small');
  const ownerUrl = required('DATABASE_OWNER_URL');
  const keyFile = required('WRAPPING_KEY_FILE');
  const pool = openPool({ url: ownerUrl, applicationName: 'uos-seed', connectionsMax: 2 });
  try {
    const wrapper = await openFileKeyWrapper({ random }, keyFile);
    const keyRing = { pool, store: postgresDataKeyStore, wrapper, clock, random };
    const pepper = await openKeyRing(keyRing, 'api-key-pepper');
    const scale = flag('full') ? seedScales.full : seedScales.small;
    const startedAt = performance.now();
    await seedDatabase({ ownerUrl, pepper, scale, progress: say });
    say(`Seeded in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    process.stdout.write(`${keyTextOf(0, 0)}\n`);
    return true;
  } finally {
    await pool.close();
  }
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new CommandError(`${name} is not set`);
  return value;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await runProgram(usage, main);
