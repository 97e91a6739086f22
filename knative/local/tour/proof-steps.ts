import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, download, expectStatus, text, until } from './client.ts';
import { demand } from './steps.ts';
import { organizationPath, type Step, type TourContext } from './tour-context.ts';

/** What the tour did, as the log must hold it. */
const expectedTypes = [
  'uos.organization.created.v1',
  'uos.service-account.created.v1',
  'uos.role-binding.created.v1',
  'uos.reconcile.applied.v1',
  'uos.api-key.issued.v1',
  'uos.token.issued.v1',
  'uos.decision-segment.written.v1',
  'uos.role-binding.removed.v1',
  'uos.api-key.revoked.v1',
];

export const exportAuditLog: Step = {
  name: 'export',
  run: async (context) => {
    // Events reach the log within seconds of their commit, decisions a second later: asked again until all are there.
    const exported = await until('An export that holds every step', 60_000, async () => {
      const files = await exportOnce(context);
      const missing = await missingTypes(context, files);
      return missing.length === 0 ? files : undefined;
    });
    const events = await linesOf(context, exported);
    return `${events.length} events of this organization, ${exported.length} files with tiles, proofs and signed checkpoints, downloaded to ${context.exportDirectory}`;
  },
};

export const verifyAuditLog: Step = {
  name: 'verify',
  run: async (context) => {
    const { code, lastLine } = await verify(context.exportDirectory);
    demand(code === 0, `The export verifies: ${lastLine}`);
    return lastLine;
  },
};

export const tamper: Step = {
  name: 'tamper',
  run: async (context) => {
    const copy = `${context.exportDirectory}-tampered`;
    await rm(copy, { recursive: true, force: true });
    await cp(context.exportDirectory, copy, { recursive: true });
    const bundle = (await filesUnder(copy)).find((path) => path.includes('/tile/entries/'));
    if (bundle === undefined) throw new Error('The export has no entry bundle');
    const bytes = await readFile(bundle);
    const place = Math.floor(bytes.length / 2);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(bundle, bytes);
    const { code, lastLine } = await verify(copy);
    demand(code === 1 && /entry \d+/.test(lastLine), `The verifier names the damaged entry: ${lastLine}`);
    return `One bit of a copy was changed; the verifier says: ${lastLine}`;
  },
};

async function exportOnce(context: TourContext): Promise<string[]> {
  const requested = await expectStatus(202, {
    ...organizationPath(context, '/audit/exports'),
    method: 'POST',
    body: { from: context.startedAt.toISOString(), to: new Date(Date.now() + 60_000).toISOString() },
  });
  const path = `/audit/exports/${text(requested, 'id')}`;
  const files = await until('The export', 60_000, async () => {
    const { body } = await ask(organizationPath(context, path));
    if (body['status'] === 'failed') throw new Error(`The export failed: ${JSON.stringify(body)}`);
    return body['status'] === 'ready' && Array.isArray(body['files']) ? body['files'].map(String) : undefined;
  });
  await rm(context.exportDirectory, { recursive: true, force: true });
  for (const file of files) {
    const target = join(context.exportDirectory, file);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await download(organizationPath(context, `${path}/files/${file}`)));
  }
  return files;
}

async function missingTypes(context: TourContext, files: readonly string[]): Promise<string[]> {
  const present = new Set((await linesOf(context, files)).map((line) => String(JSON.parse(line).type)));
  return expectedTypes.filter((type) => !present.has(type));
}

async function linesOf(context: TourContext, files: readonly string[]): Promise<string[]> {
  const texts = files
    .filter((file) => file.startsWith('events/'))
    .map((file) => readFile(join(context.exportDirectory, file), 'utf8'));
  return (await Promise.all(texts)).flatMap((content) => content.split('\n')).filter((line) => line !== '');
}

/** Runs the verifier as a customer does. */
function verify(directory: string): Promise<{ code: number; lastLine: string }> {
  const script = join(import.meta.dirname, '..', 'audit-verify.ts');
  return new Promise((resolve) => {
    execFile(process.execPath, [script, directory], { timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, lastLine: (stdout.trim().split('\n').at(-1) ?? '') || stderr.trim() });
    });
  });
}

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
