import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goTool } from '../knative/local/go-tool.ts';
import {
  candidatesEntrypoint,
  type PolicyBundleFiles,
  policyBundleFileNames,
  policyEntrypoint,
  policyManifestSchema,
} from '../shared/authorization/index.ts';
import { readTarGz } from '../shared/policy-bundle/index.ts';

const run = promisify(execFile);
const root = import.meta.dirname;
const bundleDirectory = join(root, 'bundle');
export const opaVersion = '1.22.2';
const sources = ['uos', 'lib', 'data'];
const unpackedBytesMax = 64 * 2 ** 20;

/** The pinned compiler, or undefined with the reason on stderr; in CI that throws. */
export function findOpa(): Promise<string | undefined> {
  return goTool({
    name: 'opa',
    version: opaVersion,
    module: 'github.com/open-policy-agent/opa',
    versionArguments: ['version'],
  });
}

export type BuildOutcome = {
  /** `unverified`: there is no compiler, and the bundle kept was built from these very sources. */
  readonly status: 'built' | 'unchanged' | 'differs' | 'unverified';
  readonly revision: string;
};

/**
 * Compiles the policies into policies/bundle. With `check` nothing is written and `differs` tells that the bundle
 * kept in the repository is not what its sources compile to. Throws when sources changed and there is no compiler.
 */
export async function buildPolicyBundle(options: { check?: boolean } = {}): Promise<BuildOutcome> {
  const [opa, sourceDigest, kept] = await Promise.all([findOpa(), digestSources(), readKept()]);
  const revision = sourceDigest.slice(0, 16);
  if (opa === undefined) {
    if (isBuiltFrom(kept, sourceDigest)) return { status: 'unverified', revision };
    throw new Error(`The policies changed and opa ${opaVersion} is not available to compile them`);
  }
  const compiled = await compilePolicy(opa, { directory: root, sources, capabilities: 'capabilities.json' });
  const fresh = { ...compiled, manifest: toManifest(revision, sourceDigest, compiled) };
  const isSame = (['manifest', 'wasm', 'data'] as const).every((part) => kept?.[part].equals(fresh[part]));
  if (isSame) return { status: 'unchanged', revision };
  if (options.check) return { status: 'differs', revision };
  await writeBundle(fresh);
  return { status: 'built', revision };
}

/** Runs the compiler on the sources (paths below `directory`) and takes the two files we serve from its archive. */
export async function compilePolicy(
  opa: string,
  input: { directory: string; sources: readonly string[]; capabilities: string },
): Promise<{ wasm: Buffer; data: Buffer }> {
  const scratch = await mkdtemp(join(tmpdir(), 'uos-policy-'));
  try {
    const archive = join(scratch, 'bundle.tar.gz');
    const entrypoints = [policyEntrypoint, ...((await namesCandidates(input)) ? [candidatesEntrypoint] : [])];
    const target = [
      '--target',
      'wasm',
      ...entrypoints.flatMap((entrypoint) => ['--entrypoint', entrypoint]),
      '--capabilities',
      input.capabilities,
    ];
    await run(opa, ['build', ...target, '--ignore', '*_test.rego', '--output', archive, ...input.sources], {
      cwd: input.directory,
      timeout: 60_000,
    });
    const files = await readTarGz(await readFile(archive), { unpackedBytesMax });
    if (!files.ok) throw new Error(`opa build gave no archive: ${files.failure.detail}`);
    const [wasm, data] = [files.value.get('policy.wasm'), files.value.get('data.json')];
    if (wasm === undefined || data === undefined)
      throw new Error('opa build gave no policy.wasm or no data.json');
    return { wasm, data };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whether the sources answer the optional entrypoint; naming one that is not there is an error of the compiler. */
async function namesCandidates({ directory, sources }: { directory: string; sources: readonly string[] }) {
  const patterns = sources.flatMap((source) => [source, `${source}/**/*.rego`]);
  for await (const path of glob(patterns, { cwd: directory })) {
    if (!path.endsWith('.rego') || path.endsWith('_test.rego')) continue;
    const rules = await readFile(join(directory, path), 'utf8');
    if (/^package uos\.authz$/m.test(rules) && /^(default )?candidates\b/m.test(rules)) return true;
  }
  return false;
}

/** Each file as its path, its length and its bytes: no two sets of files run together to the same text. */
async function digestSources(): Promise<string> {
  const paths = ['capabilities.json'];
  for await (const path of glob(
    sources.map((source) => `${source}/**/*.{rego,json}`),
    { cwd: root },
  )) {
    paths.push(path.replaceAll('\\', '/'));
  }
  const digest = createHash('sha256').update(`opa ${opaVersion}\0`);
  for (const path of paths.sort()) {
    if (path.endsWith('_test.rego')) continue;
    const bytes = await readFile(join(root, path));
    digest.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return digest.digest('hex');
}

function toManifest(
  revision: string,
  sourceDigest: string,
  compiled: { wasm: Buffer; data: Buffer },
): Buffer {
  const manifest = {
    revision,
    entrypoint: policyEntrypoint,
    opa_version: opaVersion,
    source_sha256: sourceDigest,
    wasm_sha256: createHash('sha256').update(compiled.wasm).digest('hex'),
    data_sha256: createHash('sha256').update(compiled.data).digest('hex'),
  };
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

async function readKept(): Promise<Record<keyof PolicyBundleFiles, Buffer> | undefined> {
  const { manifest, wasm, data } = policyBundleFileNames;
  try {
    const read = (name: string) => readFile(join(bundleDirectory, name));
    return { manifest: await read(manifest), wasm: await read(wasm), data: await read(data) };
  } catch {
    return undefined;
  }
}

function isBuiltFrom(kept: { manifest: Buffer } | undefined, sourceDigest: string): boolean {
  if (kept === undefined) return false;
  return policyManifestSchema.parse(JSON.parse(kept.manifest.toString())).source_sha256 === sourceDigest;
}

async function writeBundle(files: PolicyBundleFiles): Promise<void> {
  await mkdir(bundleDirectory, { recursive: true });
  for (const part of ['wasm', 'data', 'manifest'] as const) {
    await writeFile(join(bundleDirectory, policyBundleFileNames[part]), files[part]);
  }
}

if (import.meta.main) {
  const { status, revision } = await buildPolicyBundle({ check: process.argv.includes('--check') });
  process.stdout.write(`policy bundle ${revision}: ${status}\n`);
  if (status === 'differs') process.exitCode = 1;
}
