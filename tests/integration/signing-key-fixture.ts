import { Client } from 'pg';
import type { DatabasePool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { type Clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { type KeyPurpose, type KeyRing, openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import type { RotateSigningKeysDeps } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';

export type SigningKeyFixture = {
  readonly database: TestDatabase;
  /** As the functions connect. */
  readonly pool: DatabasePool;
  readonly apiKeys: TestApiKeys;
  readonly rotation: RotateSigningKeysDeps;
  openRing(purpose: KeyPurpose): Promise<KeyRing>;
  /** As superuser, above row-level security. */
  sql(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  eventsOf(type: string): Promise<{ subject: string; leaf: { data: Record<string, unknown> } }[]>;
  close(): Promise<void>;
};

/** A database with the platform's organization and nothing else, and what rotating its signing keys takes. */
export async function openSigningKeyFixture(clock: Clock): Promise<SigningKeyFixture> {
  const database = await createTestDatabase();
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  const superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  const apiKeys = await openTestApiKeys(pool);
  const wrapper = await openFileKeyWrapper({ random }, apiKeys.wrappingKeyFile);
  const rings = { pool, store: postgresDataKeyStore, wrapper, clock, random };
  const sql: SigningKeyFixture['sql'] = async (statement, values) =>
    (await superuser.query(statement, values)).rows;
  return {
    database,
    pool,
    apiKeys,
    sql,
    openRing: (purpose) => openKeyRing(rings, purpose),
    rotation: {
      pool,
      clock,
      random,
      // The database's clock decides; in tests that is the test's own.
      store: { ...postgresSigningKeyStore, now: async () => clock.now() },
      events: postgresEventRecorder({ clock, random, source: 'uos/key-rotation' }),
      ring: await openKeyRing(rings, 'signing-key'),
      policy: {
        algorithms: ['ES256'],
        intervalSeconds: 86_400,
        publishLeadSeconds: 60,
        tokenTtlSecondsMax: 300,
        jwksMaxAgeSeconds: 30,
      },
    },
    eventsOf: async (type) => {
      const rows = await sql('select subject, leaf from audit_event where type = $1 order by event_id', [
        type,
      ]);
      return rows.map(({ subject, leaf }) => ({
        subject: String(subject),
        leaf: JSON.parse(String(leaf)),
      }));
    },
    close: async () => {
      await apiKeys.dispose();
      await pool.close();
      await superuser.end();
      await database.drop();
    },
  };
}
