import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../knative/local/postgres.ts';
import { migrateToLatest } from '../../migrations/index.ts';
import { type DatabasePool, openPool } from '../../shared/db/index.ts';
import { type AuthorizeProcess, startAuthorizeProcess } from '../support/authorize-process.ts';
import { openTestApiKeys, type TestApiKeys } from '../support/seed-organization.ts';
import type { BenchOptions } from './bench-result.ts';
import { startSealer } from './sealer.ts';
import { seedDatabase } from './seed.ts';
import { type OrganizationPlan, planOrganizations, seedScales } from './seed-plan.ts';

export type BenchScene = AsyncDisposable & {
  readonly pool: DatabasePool;
  readonly keys: TestApiKeys;
  readonly plans: readonly OrganizationPlan[];
  /** A scratch directory that goes with the scene. */
  readonly directory: string;
  /** One more process of authorize; it ends with the scene. */
  startAuthorize(): Promise<AuthorizeProcess>;
};

/** A durable PostgreSQL with the seeded data on this very machine. */
export async function setBenchScene({ full, progress }: BenchOptions): Promise<BenchScene> {
  const closers = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'uos-bench-'));
  closers.defer(() => rm(directory, { recursive: true, force: true }));
  progress('Starting PostgreSQL');
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    persistent: false,
    durable: true,
    onLog: () => {},
  });
  closers.defer(() => postgres.stop());
  await migrateToLatest(postgres.ownerUrl);
  const pool = openPool({ url: postgres.url('app'), applicationName: 'uos-bench' });
  closers.defer(() => pool.close());
  const keys = await openTestApiKeys(pool);
  closers.defer(() => keys.dispose());
  const scale = full ? seedScales.full : seedScales.small;
  progress(`Seeding ${scale.organizations} organizations`);
  await seedDatabase({ ownerUrl: postgres.ownerUrl, pepper: keys.deps.pepper, scale, progress });
  const objectDirectory = join(directory, 'objects');
  closers.use(await startSealer({ databaseUrl: postgres.url('log'), objectDirectory }));
  return {
    pool,
    keys,
    plans: planOrganizations(scale),
    directory,
    startAuthorize: async () => {
      const authorize = await startAuthorizeProcess({
        databaseUrl: postgres.url('app'),
        wrappingKeyFile: keys.wrappingKeyFile,
        objectDirectory,
        // One caller asks all of it here; what a limit does has its own tests.
        env: { CALLER_RATE_PER_SECOND: '1000000', CALLER_BURST: '1000000' },
      });
      closers.defer(() => authorize.stop());
      return authorize;
    },
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  };
}
