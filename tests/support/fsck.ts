import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goTool } from '../../knative/local/go-tool.ts';

/** The fsck of tessera: a verifier of tiled logs that we did not write. Undefined when it cannot be had. */
export const fsck = await goTool({
  name: 'fsck',
  version: '1.0.4',
  module: 'github.com/transparency-dev/tessera/cmd/fsck',
});

export type Verdict = { readonly accepted: boolean; readonly output: string };

/**
 * fsck 1.0.4 exits 0 on failure, so only its closing line counts; with one worker a bad tile makes it wait for
 * ever, hence sixteen and an end.
 */
export async function askFsck(log: { readonly path: string; readonly keyPath: string }): Promise<Verdict> {
  const flags = [`--storage_url=file://${log.path}/`, `--public_key=${log.keyPath}`, '--ui=false', '--N=16'];
  const { output } = await askVerifier(fsck, flags);
  return { accepted: output.includes("Successfully fsck'd log"), output };
}

/** Runs an outside verifier; exit code 0 is acceptance. */
export async function askVerifier(program: string | undefined, flags: readonly string[]): Promise<Verdict> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program ?? '', [...flags], { timeout: 60_000 });
    return { accepted: true, output: stdout + stderr };
  } catch (error) {
    if (error instanceof Error && 'stderr' in error) return { accepted: false, output: String(error.stderr) };
    throw error;
  }
}
