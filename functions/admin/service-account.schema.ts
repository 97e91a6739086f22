import { z } from 'zod';
import { type ServiceAccount, serviceAccountStates, stateOf } from '../../shared/service-account/index.ts';
import { directoryIds } from './directory.schema.ts';
import {
  idField,
  instantField,
  labelsField,
  lineField,
  managedByField,
  serviceAccountIdField,
} from './field.schema.ts';

/** Fields of service accounts, in requests and in answers. */
export const ownerTeamField = idField(
  directoryIds.team,
  'The team it belongs to; without one, the organization',
);

export const accountExpiryField = instantField.describe('From then on it is refused; a later one revives it');

export const accountReasonField = lineField(256).describe(
  'What it is for; stands in the audit log for ever: no secret, no personal data',
);

export const accountStateField = z
  .enum(serviceAccountStates)
  .describe('Works only while active; deleted is for ever');

export const serviceAccountView = z.strictObject({
  id: serviceAccountIdField,
  name: z.string(),
  displayName: z.string(),
  ownerTeamId: z.string().optional(),
  status: accountStateField,
  labels: labelsField,
  expiresAt: instantField.optional(),
  managedBy: managedByField,
  createdBy: z.string().optional().describe('Id of whoever created it'),
  reason: accountReasonField.optional(),
  createdAt: instantField,
  updatedAt: instantField,
  deletedAt: instantField.optional(),
});

export function toServiceAccountView(account: ServiceAccount, now: Date): z.input<typeof serviceAccountView> {
  const { id, name, displayName, ownerTeamId, labels, managedBy, createdBy, reason } = account;
  return {
    id,
    name,
    displayName,
    ownerTeamId,
    status: stateOf(account, now),
    labels,
    expiresAt: account.expiresAt?.toISOString(),
    managedBy,
    createdBy,
    reason,
    createdAt: account.createdAt.toISOString(),
    updatedAt: account.updatedAt.toISOString(),
    deletedAt: account.deletedAt?.toISOString(),
  };
}
