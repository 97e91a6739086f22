import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { policyEntrypoint } from '../../shared/authorization/index.ts';
import type { PublishedBundleFiles } from '../../shared/policy-bundle/index.ts';
import { compilePolicy, findOpa, opaVersion } from '../build.ts';
import { CommandError } from './command.ts';

export const capabilities = join(import.meta.dirname, '..', 'capabilities.json');
export const inputSchema = join(import.meta.dirname, '..', 'schemas', 'input.json');

/** A project of policies: `policy/**.rego` with tests beside, `data/` if any, and `cases/*.yaml`. */
export type PolicySources = { readonly directory: string; readonly sources: readonly string[] };

export async function findSources(directory: string): Promise<PolicySources> {
  const [rego, data] = await Promise.all([
    list(directory, 'policy/**/*.rego'),
    list(directory, 'data/**/data.json'),
  ]);
  if (rego.length === 0) throw new CommandError(`${directory} has no policy/ folder with .rego files in it`);
  return { directory, sources: data.length === 0 ? ['policy'] : ['policy', 'data'] };
}

export async function requireOpa(): Promise<string> {
  const opa = await findOpa().catch(() => undefined);
  if (opa !== undefined) return opa;
  throw new CommandError(
    `opa ${opaVersion} is needed and not there: put it on PATH, or install Go to have it built`,
  );
}

/** Revision: of the sources' digest unless one is given, so that the same sources have the same name. */
export async function compileBundle(
  { directory, sources }: PolicySources,
  named: { readonly revision?: string; readonly version?: number },
): Promise<PublishedBundleFiles> {
  const opa = await requireOpa();
  const compiled = await compilePolicy(opa, { directory, sources, capabilities }).catch((error: unknown) => {
    throw new CommandError(`the policy does not compile\n${complaintOf(error)}`);
  });
  const sourceDigest = await digest(directory);
  const manifest = {
    revision: named.revision ?? sourceDigest.slice(0, 16),
    ...(named.version === undefined ? {} : { version: named.version }),
    entrypoint: policyEntrypoint,
    opa_version: opaVersion,
    source_sha256: sourceDigest,
    wasm_sha256: sha256(compiled.wasm),
    data_sha256: sha256(compiled.data),
  };
  return { ...compiled, manifest: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
}

/** What the compiler said, which Node keeps beside the message. */
export function complaintOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const printed = ['stdout', 'stderr'].map((name) => String(Reflect.get(error, name) ?? '')).join('');
  return printed.trim() || error.message;
}

async function digest(directory: string): Promise<string> {
  const paths = [
    ...(await list(directory, 'policy/**/*.rego')),
    ...(await list(directory, 'data/**/data.json')),
  ];
  const hash = createHash('sha256').update(`opa ${opaVersion}\0`);
  for (const path of paths.filter((name) => !name.endsWith('_test.rego'))) {
    const bytes = await readFile(join(directory, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

export async function list(directory: string, pattern: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of glob(pattern, { cwd: directory })) paths.push(path.replaceAll('\\', '/'));
  return paths.sort();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
