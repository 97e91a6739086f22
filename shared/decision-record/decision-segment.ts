import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { invariant } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';
import { createKeyFilter } from './key-filter.ts';
import { keysOf, parseLine, splitLines } from './recorded-decision.ts';

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
export function segmentKeyOf({
  organizationId,
  id,
  from,
}: Pick<DecisionSegment, 'organizationId' | 'id' | 'from'>) {
  return `decisions/${organizationId}/${from.toISOString().slice(0, 10)}/${id}.ndjson.gz`;
}

/** `lines`: at least one line of NDJSON, written by `toLine`. */
export async function createDecisionSegment(
  name: Pick<DecisionSegment, 'organizationId' | 'id'>,
  text: string,
): Promise<DecisionSegmentContent> {
  const records = splitLines(text).map((line) => {
    const record = parseLine(line);
    invariant(record?.organization === name.organizationId, 'a segment holds records of one organization');
    return record;
  });
  const [first] = records;
  invariant(first, 'a segment holds at least one record');
  const bytes = await compress(text, { level: 1 });
  // Those that waited for the organization's settings may stand behind younger ones.
  const times = records.map(({ time }) => time).sort();
  const from = new Date(times[0] ?? first.time);
  const segment = {
    ...name,
    objectKey: segmentKeyOf({ ...name, from }),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    count: records.length,
    from,
    to: new Date(times.at(-1) ?? first.time),
  };
  const filter = createKeyFilter(records.flatMap(keysOf));
  return { segment, bytes, filter, policyRevision: first.policy_revision };
}

/** Undefined for bytes that are no segment. */
export async function readSegmentText(bytes: Uint8Array): Promise<string | undefined> {
  try {
    return (await decompress(bytes, { maxOutputLength: textBytesMax })).toString('utf8');
  } catch {
    return undefined;
  }
}
