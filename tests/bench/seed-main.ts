import { parseArgs } from 'node:util';
import { openPool } from '../../shared/db/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { seedDatabase } from './seed.ts';
import { keyTextOf, seedScales } from './seed-plan.ts';

const usage = `Usage: npm run seed -- <--full | --small>
Fills the empty, migrated database of DATABASE_OWNER_URL; the keys work with the wrapping key of WRAPPING_KEY_FILE.
  --full   20 000 organizations, 200 000 users, 500 000 API keys
  --small  a hundredth of it
The same data every time. The last line is a key that may ask about anyone of the largest organization.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { full: { type: 'boolean' }, small: { type: 'boolean' } } });
  const ownerUrl = process.env['DATABASE_OWNER_URL'];
  const keyFile = process.env['WRAPPING_KEY_FILE'];
  if ((values.full ?? false) === (values.small ?? false) || ownerUrl === undefined || keyFile === undefined) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const pool = openPool({ url: ownerUrl, applicationName: 'uos-seed', connectionsMax: 2 });
  try {
    const wrapper = await openFileKeyWrapper({ random }, keyFile);
    const keyRing = { pool, store: postgresDataKeyStore, wrapper, clock, random };
    const pepper = await openKeyRing(keyRing, 'api-key-pepper');
    const scale = values.full ? seedScales.full : seedScales.small;
    const startedAt = performance.now();
    await seedDatabase({ ownerUrl, pepper, scale, progress: say });
    say(`Seeded in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    process.stdout.write(`${keyTextOf(0, 0)}\n`);
  } finally {
    await pool.close();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
