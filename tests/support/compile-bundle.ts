import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy } from '../../policies/build.ts';
import { type PolicyBundle, policyEntrypoint } from '../../shared/authorization/index.ts';

const capabilities = join(import.meta.dirname, '../../policies/capabilities.json');

/** A bundle of rules of package uos.authz that are not ours; its revision is a digest of them. */
export async function compileBundle(opa: string, rules: string): Promise<PolicyBundle> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-rules-'));
  try {
    await mkdir(join(directory, 'src'));
    await writeFile(join(directory, 'src/policy.rego'), `package uos.authz\n\n${rules}\n`);
    const { wasm, data } = await compilePolicy(opa, { directory, sources: ['src'], capabilities });
    const source = sha256(Buffer.from(rules));
    return {
      manifest: {
        revision: source.slice(0, 16),
        entrypoint: policyEntrypoint,
        opa_version: '1',
        source_sha256: source,
        wasm_sha256: sha256(wasm),
        data_sha256: sha256(data),
      },
      wasm,
      data,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
