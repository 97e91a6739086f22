import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../knative/local/postgres.ts';
import { migrateToLatest } from '../../migrations/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: { superuserUrl: string; urls: Record<'owner' | 'app' | 'relay' | 'log', string> };
  }
}

/** Has the schema; every test database is a copy of it. */
const templateName = 'uos';

/** One real PostgreSQL for the whole run, migrated once. Returns the teardown, as vitest asks. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres({
    directory: await mkdtemp(join(tmpdir(), 'uos-test-')),
    persistent: false,
    durable: false,
    onLog: () => {},
  });
  try {
    await migrateToLatest(postgres.ownerUrl);
    await closeTemplate(postgres.superuserUrl);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  project.provide('postgres', {
    superuserUrl: postgres.superuserUrl,
    urls: {
      owner: postgres.url('owner'),
      app: postgres.url('app'),
      relay: postgres.url('relay'),
      log: postgres.url('log'),
    },
  });
  return () => postgres.stop();
}

/** A template that somebody is connected to cannot be copied: let nobody connect. */
async function closeTemplate(superuserUrl: string): Promise<void> {
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query(`alter database ${templateName} with is_template true allow_connections false`);
  await client.end();
}
