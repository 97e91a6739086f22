import { z } from 'zod';
import { hashLeaf, type LogReader, type TreeHead, verifyInclusion } from '../tlog/index.ts';
import type { ExportFinding } from './export-finding.ts';
import { type ExportedLog, exportPaths } from './export-manifest.ts';
import { parseJson } from './parse-json.ts';
import { readLines } from './read-lines.ts';

const proofLine = z.strictObject({
  eventId: z.string(),
  index: z.int().min(0),
  proof: z.array(z.base64()).max(63),
});
type ProofLine = z.infer<typeof proofLine>;

export type LinesVerdict = {
  readonly findings: readonly ExportFinding[];
  /** Entries that lines stand for. */
  readonly indexes: ReadonlySet<number>;
};

/** Every exported line is the entry that its proof names, under the signed root, and each is there once. */
export async function verifyExportedLines(
  read: LogReader,
  log: ExportedLog,
  tree: TreeHead,
): Promise<LinesVerdict> {
  const paths = exportPaths(log.day);
  const events = await readLines(read, paths.events);
  const proofs = (await readLines(read, paths.proofs)).map((line) => parseJson(proofLine, line));
  const indexes = new Set(proofs.flatMap((proof) => proof?.index ?? []));
  const wrong = events.flatMap((line, at) => {
    const proof = proofs[at];
    return proof !== undefined && isIncluded(line, proof, tree) ? [] : [toFinding(log, at, proof)];
  });
  if ([events.length, proofs.length, indexes.size].every((count) => count === log.events))
    return { findings: wrong, indexes };
  const counts = `${events.length} events and ${indexes.size} of ${proofs.length} proofs`;
  const problem = `there are ${counts}, not ${log.events} of each`;
  return { findings: [...wrong, { path: paths.events, problem }], indexes };
}

function isIncluded(line: Uint8Array, { index, proof }: ProofLine, tree: TreeHead): boolean {
  const hashes = proof.map((hash) => Buffer.from(hash, 'base64'));
  return verifyInclusion({ index, leafHash: hashLeaf(line), proof: hashes, tree });
}

function toFinding(log: ExportedLog, at: number, proof: ProofLine | undefined): ExportFinding {
  const path = exportPaths(log.day).events;
  if (proof === undefined) return { path, problem: `line ${at + 1} has no proof` };
  const entry = { day: log.day, index: proof.index, eventId: proof.eventId };
  return { path, problem: `line ${at + 1}, or its proof, is not what was logged`, entry };
}
