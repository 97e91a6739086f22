import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';

/** The one entrypoint every bundle answers at. */
export const policyEntrypoint = 'uos/authz/decision';

/**
 * Optional: the ids of subjects or resources, or the names of actions, that a search has to try. The input is the
 * search with `search` naming what is sought; the answer is an array of strings.
 */
export const candidatesEntrypoint = 'uos/authz/candidates';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

export const policyManifestSchema = z.object({
  revision: z.string().min(1).max(128),
  /** Grows from one publication to the next; what an older one is told by. */
  version: z.int().positive().exactOptional(),
  entrypoint: z.literal(policyEntrypoint),
  opa_version: z.string().min(1),
  /** Over the sources, so that a stale bundle is noticed; see policies/build.ts. */
  source_sha256: sha256Schema,
  wasm_sha256: sha256Schema,
  data_sha256: sha256Schema,
});

export type PolicyManifest = z.output<typeof policyManifestSchema>;

/** A policy whose bytes are those its manifest names. That it works is known when an engine has activated it. */
export type PolicyBundle = {
  readonly manifest: PolicyManifest;
  readonly wasm: Uint8Array;
  readonly data: Uint8Array;
};

export type PolicyBundleFiles = Record<'manifest' | 'wasm' | 'data', Uint8Array>;

export type PolicyBundleFailure = {
  readonly code:
    | 'policy_bundle.missing'
    | 'policy_bundle.malformed'
    | 'policy_bundle.damaged'
    | 'policy_bundle.unusable';
  readonly detail: string;
};

/** Names of the files in a bundle's directory. */
export const policyBundleFileNames = {
  manifest: 'manifest.json',
  wasm: 'authz.wasm',
  data: 'data.json',
} as const;

export async function readPolicyBundle(
  directory: string,
): Promise<Result<PolicyBundle, PolicyBundleFailure>> {
  const read = (name: string) => readFile(join(directory, name));
  try {
    const [manifest, wasm, data] = await Promise.all([
      read(policyBundleFileNames.manifest),
      read(policyBundleFileNames.wasm),
      read(policyBundleFileNames.data),
    ]);
    return parsePolicyBundle({ manifest, wasm, data });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return fail({ code: 'policy_bundle.missing', detail: error.message });
  }
}

export function parsePolicyBundle(files: PolicyBundleFiles): Result<PolicyBundle, PolicyBundleFailure> {
  const manifest = policyManifestSchema.safeParse(parseJson(files.manifest));
  if (!manifest.success) {
    return fail({ code: 'policy_bundle.malformed', detail: `manifest: ${z.prettifyError(manifest.error)}` });
  }
  const { wasm_sha256: wasmDigest, data_sha256: dataDigest } = manifest.data;
  if (sha256(files.wasm) !== wasmDigest) return damaged(policyBundleFileNames.wasm);
  if (sha256(files.data) !== dataDigest) return damaged(policyBundleFileNames.data);
  return ok({ manifest: manifest.data, wasm: files.wasm, data: files.data });
}

function damaged(file: string) {
  return fail({ code: 'policy_bundle.damaged', detail: `${file} is not the file the manifest names` });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
