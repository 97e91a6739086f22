import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatabasePool, openPool } from '../../../shared/db/index.ts';
import { systemClock as clock, systemRandom as random } from '../../../shared/kernel/index.ts';
import { postgresDataKeyStore } from '../../../shared/secret/data-key-store.postgres.ts';
import { type KeyPurpose, type KeyRing, openKeyRing } from '../../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../../shared/secret/key-wrapper.file.ts';
import type { Secret } from '../../support/secret-search.ts';
import type { CanaryScene } from './canary-scene.ts';

type Value = string | Uint8Array;

/** A kind of secret. `isPersonal`: it opens nothing, and the database forgets it with its last dead row only. */
export type SecretKind = {
  readonly kind: string;
  readonly isPersonal?: boolean;
  values(scene: CanaryScene): Value[] | Promise<Value[]>;
};

/** Every kind of secret there is; a new one is a row. What is public in a text (a prefix, an id) is left out of it. */
export const secretKinds: readonly SecretKind[] = [
  // Also: OAuth client secret, the second secret of a rotation, and what a recorded idempotent answer shows.
  { kind: 'API key', values: ({ shown }) => shown.apiKeys.map(afterLast('_')) },
  { kind: 'API key of the operator', values: ({ platform }) => [afterLast('_')(platform.operatorKey)] },
  { kind: 'access token', values: ({ shown }) => shown.tokens.map(afterLast('.')) },
  {
    kind: 'workload token of a foreign issuer',
    values: ({ foreignTokens }) => foreignTokens.map(afterLast('.')),
  },
  { kind: 'webhook secret', values: ({ shown }) => shown.webhookSecrets },
  { kind: 'credential that was refused', values: ({ presented }) => presented },
  {
    kind: 'wrapping key',
    values: async ({ platform }) => (await readLines(platform, 'wrapping-key')).map(fromBase64),
  },
  {
    kind: 'signing key of the audit log',
    values: ({ platform }) => readLines(platform, 'audit-signing-key'),
  },
  { kind: 'data key', values: openDataKeys },
  { kind: 'key of a person', values: openSubjectKeys },
  { kind: 'private signing key', values: openPrivateKeys },
  {
    kind: 'password of the database',
    values: ({ platform }) => [new URL(platform.postgres.ownerUrl).password],
  },
  { kind: 'Redis token', values: ({ outside }) => [outside.redis] },
  { kind: 'transit token', values: ({ outside }) => [outside.transit] },
  { kind: 'object store secret', values: ({ outside }) => [outside.objectStore] },
  {
    kind: 'personal data of an erased person',
    isPersonal: true,
    values: ({ ada }) => [ada.email.split('@')[0] ?? '', ada.displayName],
  },
];

/** The values of now. Some end (a private key, when its key is revoked): collected more than once, and kept. */
export async function collectSecrets(
  scene: CanaryScene,
  into: Map<string, Secret & { isPersonal: boolean }>,
): Promise<void> {
  for (const { kind, isPersonal = false, values } of secretKinds)
    for (const value of await values(scene)) {
      const bytes = Buffer.from(value);
      into.set(`${kind} ${bytes.toString('hex')}`, { name: kind, bytes, isPersonal });
    }
}

const afterLast = (mark: string) => (text: string) => text.slice(text.lastIndexOf(mark) + 1);
const fromBase64 = (text: string) => Buffer.from(text, 'base64');

async function readLines(
  { state }: CanaryScene['platform'],
  volume: keyof CanaryScene['platform']['state']['volumes'],
): Promise<string[]> {
  const text = await readFile(join(state.volumes[volume], 'key'), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
}

type Rings = {
  readonly pool: DatabasePool;
  open(purpose: KeyPurpose): Promise<KeyRing>;
};

/** The rings as the functions have them. */
export async function withRings<T>(
  { platform }: CanaryScene,
  work: (rings: Rings) => Promise<T>,
): Promise<T> {
  const pool = openPool({ url: platform.postgres.url('app'), applicationName: 'test-canary' });
  try {
    const path = join(platform.state.volumes['wrapping-key'], 'key');
    const wrapper = await openFileKeyWrapper({ random }, path);
    const deps = { pool, store: postgresDataKeyStore, wrapper, clock, random };
    return await work({ pool, open: (purpose) => openKeyRing(deps, purpose) });
  } finally {
    await pool.close();
  }
}

function openDataKeys(scene: CanaryScene): Promise<Uint8Array[]> {
  return withRings(scene, async ({ open }) => {
    const { rows } = await scene.database.query('select purpose, version from data_key');
    const keys = rows.map(async ({ purpose, version }) => (await open(purpose)).find(Number(version)));
    return (await Promise.all(keys)).flatMap((key) => (key === undefined ? [] : [key.bytes]));
  });
}

function openSubjectKeys(scene: CanaryScene): Promise<Uint8Array[]> {
  return withRings(scene, async ({ open }) => {
    const ring = await open('personal-data');
    const { rows } = await scene.database.query(
      `select key_sealed, org_id || ':' || subject_id || ':' || generation as context
         from subject_key where key_sealed is not null`,
    );
    const keys = await Promise.all(rows.map(({ key_sealed, context }) => ring.open(key_sealed, context)));
    return keys.flatMap((key) => (key.ok ? [key.value] : []));
  });
}

function openPrivateKeys(scene: CanaryScene): Promise<Uint8Array[]> {
  return withRings(scene, async ({ open }) => {
    const ring = await open('signing-key');
    const { rows } = await scene.database.query(
      'select key_id, private_jwk_sealed from signing_key where private_jwk_sealed is not null',
    );
    const keys = await Promise.all(rows.map((row) => ring.open(row.private_jwk_sealed, row.key_id)));
    return keys.flatMap((key) =>
      key.ok ? [Buffer.from(JSON.parse(key.value.toString()).d, 'base64url')] : [],
    );
  });
}
