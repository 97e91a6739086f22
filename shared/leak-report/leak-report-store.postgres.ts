import { sql } from 'kysely';
import type { LeakReportStore } from './leak-report-store.ts';

export const postgresLeakReportStore: LeakReportStore = {
  isRecorded: async (tx, keyId, fingerprint) => {
    const row = await tx
      .selectFrom('audit_event')
      .select('event_id')
      .where('subject', '=', keyId)
      .where('type', '=', 'uos.api-key.leak-reported.v1')
      .where(sql`leaf::jsonb -> 'data' ->> 'fingerprint'`, '=', fingerprint)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  },
};
