import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Clock, invariant, type Random, type TypeId, typeId } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { type DecisionRecord, toLine } from './decision-record.ts';

export const decisionSegmentId = typeId('seg');
export type DecisionSegmentId = TypeId<'seg'>;

/** Records of one organization and one policy revision, in the order they were made, as one object. */
export type DecisionSegment = {
  readonly id: DecisionSegmentId;
  readonly organizationId: OrganizationId;
  /** `decisions/<organization>/<yyyy-mm-dd of the first record, UTC>/<segment>.ndjson.gz` */
  readonly objectKey: string;
  readonly bytes: Uint8Array;
  /** Of `bytes`, hexadecimal. */
  readonly sha256: string;
  readonly count: number;
  readonly from: Date;
  readonly to: Date;
  readonly policyRevision: string;
};

const compress = promisify(gzip);

/** `records` are of one organization and one revision, and at least one. */
export async function createDecisionSegment(
  deps: { clock: Clock; random: Random },
  records: readonly DecisionRecord[],
): Promise<DecisionSegment> {
  const [first, last] = [records[0], records.at(-1)];
  invariant(first && last, 'a segment holds at least one record');
  const id = decisionSegmentId.create(deps);
  const bytes = await compress(records.map(toLine).join(''), { level: 1 });
  const day = first.time.toISOString().slice(0, 10);
  return {
    id,
    organizationId: first.organization,
    objectKey: `decisions/${first.organization}/${day}/${id}.ndjson.gz`,
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    count: records.length,
    from: first.time,
    to: last.time,
    policyRevision: first.policyRevision,
  };
}
