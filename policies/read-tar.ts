import { gunzipSync } from 'node:zlib';

const block = 512;

/**
 * Regular files of a gzipped ustar archive (POSIX.1-1988), by path without a leading slash. The archive as a whole
 * is not reproducible, its members are.
 */
export function readTarGz(archive: Uint8Array): ReadonlyMap<string, Buffer> {
  const bytes = gunzipSync(archive);
  const files = new Map<string, Buffer>();
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(bytes, at + 124, 12), 8);
    files.set(text(bytes, at, 100).replace(/^\/+/, ''), bytes.subarray(at + block, at + block + size));
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}

function text(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}
