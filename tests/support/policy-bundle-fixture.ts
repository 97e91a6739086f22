import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  keyIdOf,
  type PublishedBundleFiles,
  publishedFileNames,
  signManifest,
  type TrustedKeys,
} from '../../shared/policy-bundle/index.ts';

const builtIn = join(import.meta.dirname, '../../policies/bundle');

export type BundleChanges = { readonly revision?: string; readonly version?: number };

/** The files of the built-in bundle under another revision and version: they need no compiler. */
export async function bundleFiles(changes: BundleChanges = {}): Promise<PublishedBundleFiles> {
  const read = (part: 'manifest' | 'wasm' | 'data') => readFile(join(builtIn, publishedFileNames[part]));
  const [manifest, wasm, data] = await Promise.all([read('manifest'), read('wasm'), read('data')]);
  const changed = { ...JSON.parse(manifest.toString('utf8')), ...changes };
  return { manifest: Buffer.from(JSON.stringify(changed)), wasm, data };
}

export type BundleSigner = {
  readonly privateKey: KeyObject;
  readonly publicPem: string;
  readonly id: string;
  readonly trusted: TrustedKeys;
};

export function createBundleSigner(): BundleSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = keyIdOf(publicKey);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { privateKey, publicPem, id, trusted: new Map([[id, publicKey]]) };
}

export function signed(files: PublishedBundleFiles, { privateKey }: BundleSigner): PublishedBundleFiles {
  return { ...files, signature: signManifest(files.manifest, privateKey) };
}

type Roles = Record<'Auditor' | 'Member' | 'Developer', { permissions: string[] }>;

/** The same policy over changed data, under a revision of its own. */
export function withData(
  files: PublishedBundleFiles,
  revision: string,
  change: (data: { roles: Roles }) => void,
): PublishedBundleFiles {
  const changed = JSON.parse(Buffer.from(files.data).toString('utf8'));
  change(changed);
  const data = Buffer.from(JSON.stringify(changed));
  const manifest = {
    ...JSON.parse(Buffer.from(files.manifest).toString('utf8')),
    revision,
    data_sha256: sha256(data),
  };
  return { ...files, data, manifest: Buffer.from(JSON.stringify(manifest)) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
