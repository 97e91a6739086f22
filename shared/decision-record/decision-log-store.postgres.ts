import { sql } from 'kysely';
import type { DatabasePool, OrgTransaction, Rows } from '../db/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { DecisionLog } from './decision-log.ts';
import type { DecisionLogReader, DecisionLogStore } from './decision-log-store.ts';

/** The platform's scope sees every organization: the row of its own is asked for by name. */
const thisOrganization = sql<string>`current_org()`;

export const postgresDecisionLogStore: DecisionLogStore = {
  find: async (tx) => {
    const row = await select(tx).executeTakeFirst();
    return row && toDecisionLog(row);
  },
  lock: async (tx) => {
    const row = await select(tx).forUpdate().executeTakeFirst();
    return row && toDecisionLog(row);
  },
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

/** One statement, which sets its own scope: the platform's, which sees every organization. */
const readAll = {
  name: 'decision-logs',
  text: `with scope as materialized (select set_config('uos.org_id', $1, true) as org_id)
select o.org_id, o.decision_log_level, o.decision_log_masks
  from scope cross join lateral (
    select * from organization where scope.org_id is not null and org_id = any ($2::text[]) offset 0) o`,
};

export function postgresDecisionLogReader(pool: Pick<DatabasePool, 'query'>): DecisionLogReader {
  return {
    findAll: async (organizations) => {
      const values = [platformOrganizationId, organizations];
      const { rows } = await pool.query<Row & { org_id: string }>({ ...readAll, values });
      return new Map(rows.map(({ org_id, ...row }) => [org_id, toDecisionLog(row)]));
    },
  };
}

function select(tx: OrgTransaction) {
  return tx
    .selectFrom('organization')
    .select(['decision_log_level', 'decision_log_masks'])
    .where('org_id', '=', thisOrganization);
}

type Row = { decision_log_level: DecisionLog['level']; decision_log_masks: Rows.DecisionLogMask[] };

function toDecisionLog(row: Row): DecisionLog {
  return { level: row.decision_log_level, masks: row.decision_log_masks };
}
