import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createPolicyEngine,
  type PolicyBundle,
  type PolicyEngine,
  parsePolicyBundle,
} from '../../shared/authorization/index.ts';
import { systemClock } from '../../shared/kernel/index.ts';
import {
  openContent,
  type PublishedBundleFiles,
  packPolicyBundle,
  publishedFileNames,
} from '../../shared/policy-bundle/index.ts';
import { createFileBundleSource } from '../../shared/policy-bundle/policy-bundle-source.file.ts';
import { CommandError } from './command.ts';

/** A bundle's files from its directory or archive. */
export async function readBundleFiles(path: string): Promise<PublishedBundleFiles> {
  const fetched = await createFileBundleSource(path).fetch(undefined);
  if (!fetched.ok) throw new CommandError(`${path} is no bundle: ${fetched.failure.detail}`);
  if (fetched.value.status === 'unchanged') throw new Error('a first look cannot find it unchanged');
  const files = await openContent(fetched.value.content);
  if (!files.ok) throw new CommandError(`${path} is no bundle: ${files.failure.detail}`);
  return files.value;
}

export function requireBundle(files: PublishedBundleFiles, path: string): PolicyBundle {
  const bundle = parsePolicyBundle(files);
  if (!bundle.ok) throw new CommandError(`${path} is not usable: ${bundle.failure.detail}`);
  return bundle.value;
}

/** An engine as the decision point runs it. */
export async function openBundle(path: string): Promise<{ bundle: PolicyBundle; engine: PolicyEngine }> {
  const bundle = requireBundle(await readBundleFiles(path), path);
  const engine = createPolicyEngine({ clock: systemClock });
  const activated = await engine.activate(bundle);
  if (!activated.ok) throw new CommandError(`${path} is not usable: ${activated.failure.detail}`);
  return { bundle, engine };
}

const isArchive = (path: string) => /\.(tar\.gz|tgz)$/.test(path);

/** An archive is replaced whole; in a directory the manifest comes last, so that it never names what is not there. */
export async function writeBundleFiles(path: string, files: PublishedBundleFiles): Promise<void> {
  if (isArchive(path)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.writing`, await packPolicyBundle(files));
    return rename(`${path}.writing`, path);
  }
  await mkdir(path, { recursive: true });
  for (const part of ['wasm', 'data', 'signature', 'manifest'] as const) {
    const bytes = files[part];
    if (bytes !== undefined) await writeFile(join(path, publishedFileNames[part]), bytes);
  }
}
