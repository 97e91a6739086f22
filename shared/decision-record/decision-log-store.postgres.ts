import { sql } from 'kysely';
import type { OrgTransaction, Rows } from '../db/index.ts';
import type { DecisionLog } from './decision-log.ts';
import type { DecisionLogStore } from './decision-log-store.ts';

/** The platform's scope sees every organization: the row of its own is asked for by name. */
const thisOrganization = sql<string>`current_org()`;

export const postgresDecisionLogStore: DecisionLogStore = {
  find: async (tx) => toDecisionLog(await select(tx).executeTakeFirst()),
  lock: async (tx) => toDecisionLog(await select(tx).forUpdate().executeTakeFirst()),
  save: async (tx, log, at) => {
    await tx
      .updateTable('organization')
      .set({
        decision_log_level: log.level,
        decision_log_masks: JSON.stringify(log.masks),
        updated_at: at,
      })
      .where('org_id', '=', thisOrganization)
      .execute();
  },
};

function select(tx: OrgTransaction) {
  return tx
    .selectFrom('organization')
    .select(['decision_log_level', 'decision_log_masks'])
    .where('org_id', '=', thisOrganization);
}

type Row = { decision_log_level: DecisionLog['level']; decision_log_masks: Rows.DecisionLogMask[] };

function toDecisionLog(row: Row | undefined): DecisionLog | undefined {
  return row && { level: row.decision_log_level, masks: row.decision_log_masks };
}
