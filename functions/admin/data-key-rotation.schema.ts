import { z } from 'zod';
import { type DataKeyRotation, dataKeyRotationId, rotatedPurposes } from '../../shared/rewrap/index.ts';
import { idField, instantField } from './field.schema.ts';

export const dataKeyRotationIdField = idField(dataKeyRotationId, 'Id of a data-key rotation');

export const purposeField = z
  .enum(Object.keys(rotatedPurposes) as [keyof typeof rotatedPurposes, ...(keyof typeof rotatedPurposes)[]])
  .describe('What the data key seals');

const count = z.int().min(0);

export const dataKeyRotationView = z.strictObject({
  id: dataKeyRotationIdField,
  purpose: purposeField,
  status: z
    .enum(['requested', 'waiting', 'resealing', 'retiring', 'finished', 'superseded'])
    .describe(
      'waiting: for every process to know the new version; retiring: the old one is kept for a while, and another rotation may be asked for; superseded: that one took over',
    ),
  version: count.optional().describe('The version that takes over; absent until it is made'),
  activeFrom: instantField.optional(),
  rows: z.strictObject({
    total: count.describe('Found when the work began'),
    done: count,
    unreadable: count.describe('Do not open, and so keep the old version alive'),
  }),
  requestedBy: z.string(),
  requestedAt: instantField,
  updatedAt: instantField,
  finishedAt: instantField.optional(),
});

export function toDataKeyRotationView(rotation: DataKeyRotation): z.input<typeof dataKeyRotationView> {
  const { id, purpose, status, targetVersion, activeFrom, finishedAt, requestedBy } = rotation;
  return {
    id,
    purpose,
    status,
    ...(targetVersion === undefined ? {} : { version: targetVersion }),
    ...(activeFrom && { activeFrom: activeFrom.toISOString() }),
    rows: { total: rotation.rowsTotal, done: rotation.rowsDone, unreadable: rotation.rowsUnreadable },
    requestedBy,
    requestedAt: rotation.requestedAt.toISOString(),
    updatedAt: rotation.updatedAt.toISOString(),
    ...(finishedAt && { finishedAt: finishedAt.toISOString() }),
  };
}
