import type { ApiKeyId } from '../api-key/index.ts';
import type { OrgTransaction } from '../db/index.ts';

/** Of the transaction's organization: whether the trail says already that the secret of this fingerprint has leaked. */
export type LeakReportStore = {
  isRecorded(tx: OrgTransaction, keyId: ApiKeyId, fingerprint: string): Promise<boolean>;
};
