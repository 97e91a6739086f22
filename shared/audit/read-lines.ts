import type { LogReader } from '../tlog/index.ts';

const textBytesMax = 256 * 1024 * 1024;

/** The lines of a file of an export, without their line feeds; none when it is missing. */
export async function readLines(read: LogReader, path: string): Promise<Uint8Array[]> {
  const bytes = Buffer.from((await read(path, textBytesMax)) ?? []);
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(0x0a, from);
    const end = found < 0 ? bytes.length : found;
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}
