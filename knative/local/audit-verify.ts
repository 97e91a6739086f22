import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExportFinding, verifyExport } from '../../shared/audit/index.ts';

/**
 * Checks an unpacked export: `audit-verify.ts <directory> [<file of a trusted vkey>]`. Prints a line a log, then what
 * is damaged, then the verdict; exits with 1 unless everything holds.
 */
async function main(directory: string, trustedKeyFile: string | undefined): Promise<boolean> {
  const trustedKey =
    trustedKeyFile === undefined ? {} : { trustedKey: await readFile(trustedKeyFile, 'utf8') };
  const read = (path: string, bytesMax: number) => readAtMost(join(directory, path), bytesMax);
  const verified = await verifyExport({ read, ...trustedKey });
  if (!verified.ok) {
    console.log(`REFUSED  MANIFEST.json: ${verified.failure.reason}`);
    return false;
  }
  const { manifest, logs, findings } = verified.value;
  for (const log of logs) {
    const state = log.findings.length === 0 ? 'ok      ' : 'DAMAGED ';
    console.log(`${state} ${log.day}  ${log.size} entries, ${log.events} events exported`);
  }
  for (const finding of findings) console.log(`  ${describe(finding)}`);
  const { from, to } = manifest.window;
  const [first] = findings;
  if (first !== undefined) console.log(`REFUSED  ${describe(first)}`);
  else console.log(`VERIFIED ${manifest.events} events of ${manifest.organizationId} from ${from} to ${to}`);
  return first === undefined;
}

function describe({ path, problem, entry }: ExportFinding): string {
  if (entry === undefined) return `${path}: ${problem}`;
  const name = entry.eventId === undefined ? '' : ` (${entry.eventId})`;
  return `${path}: entry ${entry.index}${name} of the log of ${entry.day} is damaged: ${problem}`;
}

/** One byte more than asked for, so that a file that is too long is seen to be. */
async function readAtMost(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, bytesMax + 1));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

const [directory, trustedKeyFile] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: audit-verify.ts <directory of an export> [<file with a trusted vkey>]');
  process.exitCode = 2;
} else {
  process.exitCode = (await main(directory, trustedKeyFile)) ? 0 : 1;
}
