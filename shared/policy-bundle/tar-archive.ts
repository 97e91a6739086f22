import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { fail, invariant, ok, type Result } from '../kernel/index.ts';

export type TarFailure = { readonly code: 'archive.malformed'; readonly detail: string };

const block = 512;
const regularFile = '0';
const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/**
 * Regular files of a gzipped ustar archive (POSIX.1-1988), by path without a leading slash or `./`. Made for bytes
 * from anywhere: bounded when unpacked, headers checked, every other kind of member (link, device, extension) refused
 * but directories, which are passed over, and no path twice.
 */
export async function readTarGz(
  archive: Uint8Array,
  limits: { readonly unpackedBytesMax: number },
): Promise<Result<ReadonlyMap<string, Buffer>, TarFailure>> {
  const bytes = await decompress(archive, { maxOutputLength: limits.unpackedBytesMax }).catch(
    (error: Error) => error,
  );
  return bytes instanceof Error ? malformed(`it is no gzip file: ${bytes.message}`) : readTar(bytes);
}

function readTar(bytes: Buffer): Result<ReadonlyMap<string, Buffer>, TarFailure> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + block);
    const size = octal(header, 124, 12);
    if (octal(header, 148, 8) !== checksum(header) || !Number.isSafeInteger(size)) {
      return malformed(`the header at byte ${at} is damaged`);
    }
    const end = at + block + size;
    if (end > bytes.length) return malformed('it ends within a file');
    const type = text(header, 156, 1) || regularFile;
    const path = text(header, 0, 100).replace(/^(\.?\/)+/, '');
    if (type !== regularFile && type !== '5') return malformed(`"${path}" is neither a file nor a directory`);
    if (files.has(path)) return malformed(`"${path}" is in it twice`);
    if (type === regularFile) files.set(path, bytes.subarray(at + block, end));
    at += block + Math.ceil(size / block) * block;
  }
  return ok(files);
}

/** The same files give the same bytes: no times, owners or names of machines. Paths are ASCII, up to 100 bytes. */
export async function writeTarGz(files: Iterable<readonly [string, Uint8Array]>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (const [path, bytes] of files) {
    parts.push(toHeader(path, bytes.byteLength), bytes, Buffer.alloc(padding(bytes.byteLength)));
  }
  return compress(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level: 9 });
}

function toHeader(path: string, size: number): Buffer {
  invariant(/^[\x21-\x7e]{1,100}$/.test(path), `"${path}" cannot be named in an archive`);
  const header = Buffer.alloc(block);
  const fields: readonly (readonly [number, string])[] = [
    [0, path],
    [100, '0000644\0'],
    [108, '0000000\0'],
    [116, '0000000\0'],
    [124, `${size.toString(8).padStart(11, '0')}\0`],
    [136, '00000000000\0'],
    [156, regularFile],
    [257, 'ustar\x0000'],
  ];
  for (const [at, value] of fields) header.write(value, at, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** The sum of the header's bytes, its own field taken as blanks. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

function octal(header: Buffer, start: number, length: number): number {
  const field = text(header, start, length).trim();
  return /^[0-7]+$/.test(field) ? Number.parseInt(field, 8) : Number.NaN;
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

function malformed(detail: string) {
  return fail({ code: 'archive.malformed', detail } as const);
}
