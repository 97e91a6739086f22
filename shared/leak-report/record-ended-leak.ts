import { type ApiKeyDeps, type ApiKeyId, fingerprintOf, toOwnerData } from '../api-key/index.ts';
import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { LeakReportStore } from './leak-report-store.ts';

export type RecordEndedLeakDeps = Pick<ApiKeyDeps, 'pool' | 'store' | 'events'> & {
  readonly reports: LeakReportStore;
};

export type EndedLeak = {
  readonly organizationId: OrganizationId;
  readonly keyId: ApiKeyId;
  /** Of the secret that has leaked. */
  readonly lastFour: string;
  readonly actor: Actor;
};

/**
 * Says once in the trail that a secret has leaked which a rotation had ended. Its key is left alone: whoever has a dead
 * secret could else shut the account out, again and again.
 */
export async function recordEndedLeak(
  deps: RecordEndedLeakDeps,
  { organizationId, keyId, lastFour, actor }: EndedLeak,
): Promise<void> {
  await withOrgChange(deps.pool, organizationId, async (tx) => {
    // Locked, so that of several reports at once the first is the one that is recorded.
    const locked = await deps.store.lock(tx, keyId);
    const fingerprint = fingerprintOf(keyId, lastFour);
    if (locked === undefined || (await deps.reports.isRecorded(tx, keyId, fingerprint))) return;
    await deps.events.record(tx, organizationId, {
      type: 'uos.api-key.leak-reported.v1',
      subject: keyId,
      actor,
      data: { fingerprint, ...toOwnerData(locked.key.owner) },
    });
  });
}
