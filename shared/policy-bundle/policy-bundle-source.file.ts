import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok } from '../kernel/index.ts';
import { bundleLimits, type PublishedFile, publishedFileNames } from './policy-bundle-files.ts';
import type { PolicyBundleContent, PolicyBundleSource } from './policy-bundle-source.ts';

/**
 * A bundle's directory, or its archive, on this machine. The tag is what the file system says of the files, read
 * before they are: what is changed while it is read shows in the next tag. A mounted ConfigMap changes inodes.
 */
export function createFileBundleSource(path: string): PolicyBundleSource {
  return {
    location: path,
    fetch: async (previousTag) => {
      try {
        const isDirectory = (await stat(path)).isDirectory();
        const { tag, size } = await describeFiles(isDirectory ? pathsIn(path) : [path]);
        if (tag === previousTag) return ok({ status: 'unchanged' });
        const sizeMax = isDirectory ? bundleLimits.unpackedBytesMax : bundleLimits.archiveBytesMax;
        if (size > sizeMax)
          return fail({ code: 'policy_bundle.too_large', detail: `${path} has ${size} bytes` });
        const content = isDirectory ? await readDirectory(path) : await readArchive(path);
        return ok({ status: 'fetched', tag, content });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        return fail({ code: 'policy_bundle.missing', detail: error.message });
      }
    },
  };
}

const parts: readonly PublishedFile[] = ['manifest', 'wasm', 'data', 'signature'];

function pathsIn(directory: string): string[] {
  return parts.map((part) => join(directory, publishedFileNames[part]));
}

async function describeFiles(paths: readonly string[]): Promise<{ tag: string; size: number }> {
  const stats = await Promise.all(paths.map((path) => unlessAbsent(stat(path, { bigint: true }))));
  const tag = stats.map((file) => (file ? `${file.ino}-${file.size}-${file.mtimeNs}` : 'absent')).join(' ');
  return { tag, size: stats.reduce((sum, file) => sum + Number(file?.size ?? 0), 0) };
}

async function readDirectory(directory: string): Promise<PolicyBundleContent> {
  const read = (part: PublishedFile) => readFile(join(directory, publishedFileNames[part]));
  const [manifest, wasm, data] = await Promise.all([read('manifest'), read('wasm'), read('data')]);
  const signature = await unlessAbsent(read('signature'));
  return {
    form: 'files',
    files: { manifest, wasm, data, ...(signature === undefined ? {} : { signature }) },
  };
}

async function readArchive(path: string): Promise<PolicyBundleContent> {
  return { form: 'archive', bytes: await readFile(path) };
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
