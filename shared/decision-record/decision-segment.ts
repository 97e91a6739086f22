import { createHash } from 'node:crypto';
import { setImmediate as immediately } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { invariant } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';
import { collectKeys } from './key-filter.ts';
import { keysOf, parseKeyMembers, splitLines } from './recorded-decision.ts';

/** Records of one organization, as one object; what its log's event names of it. */
export type DecisionSegment = {
  readonly id: DecisionSegmentId;
  readonly organizationId: OrganizationId;
  readonly objectKey: string;
  /** Of the object's bytes, hexadecimal. */
  readonly sha256: string;
  readonly count: number;
  readonly from: Date;
  readonly to: Date;
};

export type DecisionSegmentContent = {
  readonly segment: DecisionSegment;
  readonly bytes: Uint8Array;
  readonly filter: Buffer;
  readonly policyRevision: string;
};

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A damaged object may claim to be of any size. */
const textBytesMax = 256 * 1024 * 1024;

/** `decisions/<organization>/<yyyy-mm-dd of the first record, UTC>/<segment>.ndjson.gz` */
function segmentKeyOf({ organizationId, id, from }: Pick<DecisionSegment, 'organizationId' | 'id' | 'from'>) {
  return `decisions/${organizationId}/${from.toISOString().slice(0, 10)}/${id}.ndjson.gz`;
}

/** `text`: at least one line of NDJSON, written by `toLine`. */
export async function createDecisionSegment(
  name: Pick<DecisionSegment, 'organizationId' | 'id'>,
  text: string,
): Promise<DecisionSegmentContent> {
  const { count, from, to, filter, policyRevision } = await readLines(name.organizationId, splitLines(text));
  const bytes = await compress(text, { level: 1 });
  const segment = {
    ...name,
    objectKey: segmentKeyOf({ ...name, from }),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    count,
    from,
    to,
  };
  return { segment, bytes, filter, policyRevision };
}

/** A few at a time: questions are answered on the same thread, and must not wait for a segment of thousands. */
const linesAtOnce = 100;

async function readLines(organizationId: OrganizationId, lines: readonly string[]) {
  const keys = collectKeys();
  const times: string[] = [];
  let policyRevision = '';
  for (const [place, line] of lines.entries()) {
    if (place % linesAtOnce === linesAtOnce - 1) await immediately();
    const members = parseKeyMembers(line);
    invariant(members.organization === organizationId, 'a segment holds records of one organization');
    for (const key of keysOf(members)) keys.add(key);
    times.push(members.time);
    policyRevision = members.policy_revision;
  }
  // Those that waited for the organization's settings may stand behind younger ones.
  times.sort();
  const [first, last] = [times[0], times.at(-1)];
  invariant(first && last, 'a segment holds at least one record');
  return {
    count: lines.length,
    from: new Date(first),
    to: new Date(last),
    filter: keys.toFilter(),
    policyRevision,
  };
}

/** Undefined for bytes that are no segment. */
export async function readSegmentText(bytes: Uint8Array): Promise<string | undefined> {
  try {
    return (await decompress(bytes, { maxOutputLength: textBytesMax })).toString('utf8');
  } catch {
    return undefined;
  }
}
