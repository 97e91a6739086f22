import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../knative/local/postgres.ts';
import { bootstrapPlatform } from '../../migrations/bootstrap-platform.ts';
import { migrateToLatest } from '../../migrations/index.ts';
import { type DatabasePool, openPool } from '../../shared/db/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { type FunctionProcess, startFunctionProcess } from '../support/function-process.ts';
import { openTestApiKeys, type TestApiKeys } from '../support/seed-organization.ts';
import type { BenchOptions } from './bench-result.ts';
import { keepSealing } from './sealer.ts';
import { seedDatabase } from './seed.ts';
import { type OrganizationPlan, planOrganizations, seedScales } from './seed-plan.ts';

export type BenchScene = AsyncDisposable & {
  readonly pool: DatabasePool;
  readonly keys: TestApiKeys;
  readonly plans: readonly OrganizationPlan[];
  /** A scratch directory that goes with the scene. */
  readonly directory: string;
  /** One more process of a function; it ends with the scene. */
  start(name: string, env?: Env): Promise<FunctionProcess>;
  startAuthorize(env?: Env): Promise<FunctionProcess>;
  startAdmin(env?: Env): Promise<FunctionProcess>;
};

type Env = Readonly<Record<string, string>>;

/** A durable PostgreSQL with the seeded data on this very machine. */
export async function setBenchScene({ quick, progress }: BenchOptions): Promise<BenchScene> {
  const closers = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'uos-bench-'));
  closers.defer(() => rm(directory, { recursive: true, force: true }));
  progress('Starting PostgreSQL');
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    persistent: false,
    durable: true,
    settings: asInProduction,
    onLog: () => {},
  });
  closers.defer(() => postgres.stop());
  await migrateToLatest(postgres.ownerUrl);
  const pool = openPool({ url: postgres.url('app'), applicationName: 'uos-bench' });
  closers.defer(() => pool.close());
  await bootstrapPlatform({ pool, clock: systemClock, random: systemRandom });
  const keys = await openTestApiKeys(pool);
  closers.defer(() => keys.dispose());
  const scale = quick ? seedScales.small : seedScales.full;
  progress(`Seeding ${scale.organizations} organizations`);
  await seedDatabase({ ownerUrl: postgres.ownerUrl, pepper: keys.deps.pepper, scale, progress });
  await writeAllToDisk(postgres.superuserUrl);
  const start: BenchScene['start'] = async (name, env = {}) => {
    const running = await startFunctionProcess(name, {
      DATABASE_URL: postgres.url(name === 'audit-export' ? 'log' : 'app'),
      WRAPPING_KEY_FILE: keys.wrappingKeyFile,
      OBJECT_STORE_URL: `file://${join(directory, 'objects')}`,
      ISSUER_URL: 'https://token.example.test',
      AUDIENCE: 'https://api.example.test',
      PUBLIC_URL: 'https://authorize.example.test',
      ...unlimited,
      ...env,
    });
    closers.defer(() => running.stop());
    return running;
  };
  closers.use(await keepSealing(await start('audit-export')));
  return {
    pool,
    keys,
    plans: planOrganizations(scale),
    directory,
    start,
    startAuthorize: (env) => start('authorize', env),
    startAdmin: (env) => start('admin', env),
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  };
}

/** The defaults are for a machine of 1 GB: most reads went to the disk, or to whatever cache the system left us. */
const asInProduction = ['shared_buffers=2GB', 'max_wal_size=4GB'];

/** Or the loading would go on below what is measured, for minutes: as a checkpoint that falls due. */
async function writeAllToDisk(superuserUrl: string): Promise<void> {
  const pool = openPool({ url: superuserUrl, applicationName: 'uos-bench', statementTimeoutMs: 300_000 });
  await pool.query({ text: 'checkpoint', values: [] });
  await pool.close();
}

/** One caller asks all of it here; what a limit does has its own tests. */
const unlimited = {
  CALLER_RATE_PER_SECOND: '1000000',
  CALLER_BURST: '1000000',
  KEY_RATE_PER_SECOND: '1000000',
  KEY_BURST: '1000000',
};
