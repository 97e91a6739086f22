import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createNoteSigner,
  formatSpicySignature,
  formatTilePath,
  formatTlogProof,
  formatVerifierKey,
  logFiles,
  proveInclusion,
  signCheckpoint,
  type TreeHead,
  type VerifierKey,
} from '../../shared/tlog/index.ts';

/** A log as files, the way an auditor has it: the log itself, and its key beside it. */
export type LogDirectory = {
  /** Prefix of the log, `checkpoint` and `tile/` in it. */
  readonly path: string;
  readonly keyPath: string;
  readonly key: VerifierKey;
  readonly tree: TreeHead;
};

export async function writeLog(root: string, entries: readonly Uint8Array[]): Promise<LogDirectory> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const signer = createNoteSigner({ name: 'audit.example.com/org/2026-01-31', privateKey });
  const path = join(root, 'log');
  const tree = await writeTiles(path, entries);
  await write(join(path, 'checkpoint'), await signCheckpoint(tree, signer));
  const keyPath = join(root, 'log.vkey');
  await write(keyPath, formatVerifierKey(signer.verifierKey));
  return { path, keyPath, key: signer.verifierKey, tree };
}

/** Proof of one entry, made from the files: beside the entry's own bytes, in both forms. */
export async function writeProof(log: LogDirectory, index: number, entry: Uint8Array): Promise<string> {
  const path = join(dirname(log.path), `entry-${index}`);
  const read = (tile: Parameters<typeof formatTilePath>[0]) => readFile(join(log.path, formatTilePath(tile)));
  const proof = {
    index,
    hashes: await proveInclusion({ index, size: log.tree.size, read }),
    checkpoint: await readFile(join(log.path, 'checkpoint'), 'utf8'),
  };
  await write(path, entry);
  await write(`${path}.spicy`, formatSpicySignature(proof));
  await write(`${path}.tlog-proof`, formatTlogProof(proof));
  return path;
}

/** Changes one bit of a file of the log. */
export async function damage(log: LogDirectory, path: string, offset: number): Promise<void> {
  const bytes = await readFile(join(log.path, path));
  bytes.writeUInt8((bytes[offset] ?? 0) ^ 1, offset);
  await writeFile(join(log.path, path), bytes);
}

async function writeTiles(path: string, entries: readonly Uint8Array[]): Promise<TreeHead> {
  const files = logFiles(entries);
  for (let step = await files.next(); ; step = await files.next()) {
    if (step.done) return step.value;
    await write(join(path, step.value.path), step.value.bytes);
  }
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
