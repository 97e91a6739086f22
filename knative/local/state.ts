import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeMovedHome } from './postgres-home.ts';
import { lockState } from './state-lock.ts';

/** Where one local platform keeps everything that outlives it. */
export type PlatformState = {
  readonly directory: string;
  /** The bundles that run: of this platform alone, since another's start writes its own anew. */
  readonly functions: string;
  readonly postgres: string;
  readonly topics: string;
  readonly objects: string;
  readonly kafka: string;
  readonly s3: string;
  readonly operatorKeyFile: string;
  /** Directories that stand for the volumes of the manifests. */
  readonly volumes: Readonly<Record<'wrapping-key' | 'audit-signing-key' | 'git-cache', string>>;
};

/** Makes the directory and, on first use, the keys in it; each readable by its owner alone. */
export async function openState(directory: string): Promise<PlatformState> {
  const secrets = join(directory, 'secrets');
  const state: PlatformState = {
    directory,
    functions: join(directory, 'functions'),
    postgres: join(directory, 'postgres'),
    topics: join(directory, 'topics'),
    objects: join(directory, 'objects'),
    kafka: join(directory, 'kafka'),
    s3: join(directory, 's3'),
    operatorKeyFile: join(directory, 'operator-key'),
    volumes: {
      'wrapping-key': join(secrets, 'wrapping-key'),
      'audit-signing-key': join(secrets, 'audit-signing-key'),
      'git-cache': join(directory, 'git-cache'),
    },
  };
  for (const path of [state.topics, state.objects]) await mkdir(path, { recursive: true });
  for (const path of Object.values(state.volumes)) await mkdir(path, { recursive: true, mode: 0o700 });
  await writeOnce(join(state.volumes['wrapping-key'], 'key'), () => randomBytes(32).toString('base64'));
  await writeOnce(join(state.volumes['audit-signing-key'], 'key'), () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  return state;
}

/** Removes what an earlier run left; throws when a platform is running there. */
export async function clearState(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const release = await lockState(directory);
  await removeMovedHome(join(directory, 'postgres'));
  await rm(directory, { recursive: true, force: true });
  await release();
}

export async function readOperatorKey(state: PlatformState): Promise<string | undefined> {
  try {
    return (await readFile(state.operatorKeyFile, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

export async function writeOperatorKey(state: PlatformState, text: string): Promise<void> {
  await writeFile(state.operatorKeyFile, `${text}\n`, { mode: 0o600 });
}

async function writeOnce(path: string, create: () => string): Promise<void> {
  try {
    await access(path);
  } catch {
    await writeFile(path, create(), { mode: 0o600, flag: 'wx' });
  }
}
