import { readFile, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { openOidcAdapter } from '../../functions/token/oidc-adapter.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { type ApiKeyText, issueApiKey, rotateApiKey, verifyApiKey } from '../../shared/api-key/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { findGitSource, registerGitSource } from '../../shared/git-source/index.ts';
import { type Clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { holdSubjectKeys } from '../../shared/personal-data/index.ts';
import { openMember } from '../../shared/personal-data/sealed-text.ts';
import { isLive } from '../../shared/personal-data/subject-key.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { unsealKey } from '../../shared/personal-data/subject-keys.ts';
import { postgresDataKeyRotationStore } from '../../shared/rewrap/data-key-rotation-store.postgres.ts';
import type { RewrapDeps, RewrapPolicy } from '../../shared/rewrap/index.ts';
import { postgresSealedRowStore } from '../../shared/rewrap/sealed-row-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { type KeyPurpose, type KeyRing, openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { createSigningKeyPair, openPrivateJwk } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { postgresOidcRecordStore } from '../../shared/token/oidc-record-store.postgres.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from './postgres.ts';
import { openTestApiKeys, type SeededOrganization, seedOrganization } from './seed-organization.ts';

export type IssuedTestKey = {
  readonly id: string;
  readonly text: ApiKeyText;
  verify(): ReturnType<typeof verifyApiKey>;
};

export type SealedWorld = {
  readonly database: TestDatabase;
  readonly pool: DatabasePool;
  readonly wrappingKeyFile: string;
  /** What key-rotation works with, its wrapper opened anew. */
  rewrapDeps(policy: RewrapPolicy): Promise<RewrapDeps>;
  /** Names of what a process that starts now cannot use; none is as it should be. */
  findUnusable(): Promise<string[]>;
  /** One more, that is not among those that must stay usable. */
  issueApiKey(): Promise<IssuedTestKey>;
  /** As an operator does: a new line on top of the key file. */
  addWrappingKey(): Promise<void>;
  /** Leaves the line on top. */
  removeOldWrappingKeys(): Promise<void>;
  sql(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
};

/** A database with a secret of every kind, each made by the code that owns it. */
export async function createSealedWorld(clock: Clock, keysPerOrganization = 4): Promise<SealedWorld> {
  const database = await createTestDatabase();
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  const superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  const sql: SealedWorld['sql'] = async (text, values) => (await superuser.query(text, values)).rows;
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  const apiKeys = await openTestApiKeys(pool);
  const base = { pool, clock, random };
  const events = postgresEventRecorder({ clock, random, source: 'uos/test' });
  const openWrapper = () => openFileKeyWrapper({ random }, apiKeys.wrappingKeyFile);
  const ringDeps = async () => ({ ...base, store: postgresDataKeyStore, wrapper: await openWrapper() });
  let rings = new Map<KeyPurpose, Promise<KeyRing>>();
  const open = async (purpose: KeyPurpose) => openKeyRing(await ringDeps(), purpose);
  const ring = (purpose: KeyPurpose): Promise<KeyRing> => {
    const opened = rings.get(purpose) ?? open(purpose);
    rings.set(purpose, opened);
    return opened;
  };
  const checks: { readonly name: string; isUsable(): Promise<boolean> }[] = [];
  let lastOrganization: SeededOrganization | undefined;
  const keep = (name: string, isUsable: () => Promise<boolean>) => checks.push({ name, isUsable });

  const verify = async (text: ApiKeyText) => {
    const deps = { ...apiKeys.deps, clock, store: postgresApiKeyStore(pool) };
    return verifyApiKey({ ...deps, pepper: await ring('api-key-pepper') }, text);
  };
  /** Gives what opens it again, with the key that stands in the database then. */
  const sealPersonalText = async ({ organizationId, idOf }: SeededOrganization, text: string) => {
    const place = {
      event: { id: 'evt_1', type: 'uos.membership.created.v1' },
      subject: idOf('ann'),
      path: 'personal.name.after',
    };
    const subjects = [place.subject];
    const keys = { ...base, store: postgresSubjectKeyStore, ring: await ring('personal-data') };
    const held = await withOrg(pool, organizationId, (tx) =>
      holdSubjectKeys(keys, tx, { organizationId, subjects }),
    );
    const member = held.seal(place, text);
    return async () => {
      const [key] = await withOrg(pool, organizationId, (tx) => postgresSubjectKeyStore.list(tx, subjects));
      if (key === undefined || !isLive(key)) return undefined;
      const unsealed = await unsealKey({ ring: await ring('personal-data') }, organizationId, key);
      const opened = openMember({ ...place, key: unsealed, member });
      return opened.ok ? opened.value : undefined;
    };
  };

  for (let number = 0; number < 3; number++) {
    const organization = await seedOrganization(pool, { serviceAccounts: ['ci'], users: ['ann'] });
    const { organizationId } = organization;
    lastOrganization = organization;
    for (let key = 0; key < keysPerOrganization; key++) {
      const { text } = await apiKeys.issue(organization, 'ci');
      keep(`API key ${number}.${key}`, async () => (await verify(text)).ok);
    }
    const older = await apiKeys.issue(organization, 'ci');
    const newer = await rotateApiKey(apiKeys.deps, {
      organizationId,
      keyId: older.key.id,
      overlapSeconds: 365 * 86_400,
      actor: { type: 'system', id: 'test' },
    });
    if (!newer.ok) throw new Error(newer.failure.code);
    keep(`the newer secret of API key ${number}`, async () => (await verify(newer.value.text)).ok);
    keep(`the older secret of API key ${number}`, async () => (await verify(older.text)).ok);
    const readPersonal = await sealPersonalText(organization, `the name of person ${number}`);
    keep(
      `a text about person ${number}`,
      async () => (await readPersonal()) === `the name of person ${number}`,
    );
  }

  const gitSources = { ...base, events, store: postgresGitSourceStore };
  const registered = await registerGitSource(
    { ...gitSources, webhookSecrets: await ring('git-source') },
    { url: 'https://git.example/a.git', ref: 'main', actor: { type: 'system', id: 'test' } },
  );
  if (!registered.ok) throw new Error(registered.failure.code);
  const { source, webhookSecret } = registered.value;
  keep('a webhook secret', async () => {
    const found = await findGitSource(gitSources, source.id);
    const opened = found && (await (await ring('git-source')).open(found.webhookSecretSealed, source.id));
    return opened?.ok === true && opened.value.toString() === webhookSecret;
  });

  const pair = createSigningKeyPair('ES256');
  const at = clock.now();
  await withOrg(pool, platformOrganizationId, async (tx) => {
    const key = { algorithm: 'ES256', publishedAt: at, activeFrom: at, verifyUntil: undefined } as const;
    const signingRing = await ring('signing-key');
    const sealed = await signingRing.seal(JSON.stringify(pair.privateJwk), pair.keyId);
    await postgresSigningKeyStore.add(tx, { ...key, keyId: pair.keyId, publicJwk: pair.publicJwk }, sealed);
  });
  keep('a signing key', async () => {
    const deps = { pool, store: postgresSigningKeyStore, ring: await ring('signing-key') };
    const opened = await openPrivateJwk(deps, pair.keyId);
    return opened.ok && opened.value.d === pair.privateJwk.d;
  });

  const oidc = async () => {
    const deps = { ...base, store: postgresOidcRecordStore, ring: await ring('oidc-record') };
    return (await openOidcAdapter(deps))('RefreshToken');
  };
  await (await oidc()).upsert('a-refresh-token', { jti: 'a-refresh-token', accountId: 'usr_1' }, 1e9);
  keep('an OAuth record', async () => (await (await oidc()).find('a-refresh-token'))?.accountId === 'usr_1');

  return {
    database,
    pool,
    sql,
    wrappingKeyFile: apiKeys.wrappingKeyFile,
    rewrapDeps: async (policy) => ({
      ...base,
      events,
      policy,
      wrapper: await openWrapper(),
      keys: postgresDataKeyStore,
      rotations: postgresDataKeyRotationStore,
      rows: postgresSealedRowStore,
    }),
    findUnusable: async () => {
      rings = new Map();
      const unusable: string[] = [];
      for (const { name, isUsable } of checks)
        if (!(await isUsable().catch(() => false))) unusable.push(name);
      return unusable;
    },
    issueApiKey: async () => {
      if (lastOrganization === undefined) throw new Error('there is an organization');
      const issued = await issueApiKey(
        { ...apiKeys.deps, clock, pepper: await ring('api-key-pepper') },
        {
          organizationId: lastOrganization.organizationId,
          serviceAccountId: serviceAccountId.require(lastOrganization.idOf('ci')),
          actor: { type: 'system', id: 'test' },
          description: 'test',
          environment: 'test',
        },
      );
      if (!issued.ok) throw new Error(issued.failure.code);
      const { key, text } = issued.value;
      return { id: key.id, text, verify: () => verify(text) };
    },
    addWrappingKey: async () => {
      const lines = await readFile(apiKeys.wrappingKeyFile, 'utf8');
      const line = Buffer.from(random.bytes(32)).toString('base64');
      await writeFile(apiKeys.wrappingKeyFile, `${line}\n${lines}`);
    },
    removeOldWrappingKeys: async () => {
      const [line = ''] = (await readFile(apiKeys.wrappingKeyFile, 'utf8')).split('\n');
      await writeFile(apiKeys.wrappingKeyFile, line);
    },
    close: async () => {
      await apiKeys.dispose();
      await pool.close();
      await superuser.end();
      await database.drop();
    },
  };
}
