import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExportFinding, verifyExport } from '../../shared/audit/index.ts';
import { CommandError, readArguments, runProgram, toPath, UsageError } from './command-line.ts';

const usage = `usage: npm run audit-verify -- <directory of an unpacked export> [<file with a trusted vkey>]

Prints a line a log, then what is damaged, then the verdict. Exit code: 0 everything holds, 1 it does not, 2 it could not
be told.`;

async function main(args: readonly string[]): Promise<boolean> {
  const [place, keyFile, ...others] = readArguments(args, {}).places;
  if (place === undefined || others.length > 0) throw new UsageError('Name the directory of one export');
  const directory = toPath(place);
  const trustedKey = keyFile === undefined ? {} : { trustedKey: await readKey(toPath(keyFile)) };
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

async function readKey(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause) => {
    throw new CommandError(`${path} cannot be read`, { cause });
  });
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

await runProgram(usage, main);
