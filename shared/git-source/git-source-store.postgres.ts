import type { Rows } from '../db/index.ts';
import type { Condition, GitSource } from './git-source.ts';
import { gitSourceId } from './git-source-id.ts';
import type { GitSourceStore } from './git-source-store.ts';

const columns = [
  'source_id',
  'url',
  'ref',
  'webhook_secret_sealed',
  'observed_commit',
  'applied_commit',
  'conditions',
  'created_at',
  'updated_at',
] as const;

type Selected = Omit<Rows.GitSourceRow, 'conditions'> & { readonly conditions: readonly object[] };

export const postgresGitSourceStore: GitSourceStore = {
  add: async (tx, source) => {
    const added = await tx
      .insertInto('git_source')
      .values({
        source_id: source.id,
        url: source.url,
        ref: source.ref,
        webhook_secret_sealed: Buffer.from(source.webhookSecretSealed),
        observed_commit: source.observedCommit ?? null,
        applied_commit: source.appliedCommit ?? null,
        conditions: JSON.stringify(source.conditions),
        created_at: source.createdAt,
        updated_at: source.updatedAt,
      })
      .onConflict((conflict) => conflict.columns(['url', 'ref']).doNothing())
      .returning('source_id')
      .executeTakeFirst();
    return added !== undefined;
  },
  find: async (tx, id) => {
    const row = await tx
      .selectFrom('git_source')
      .select(columns)
      .where('source_id', '=', id)
      .executeTakeFirst();
    return row && toGitSource(row);
  },
  list: async (tx, page) => {
    let query = tx.selectFrom('git_source').select(columns).orderBy('source_id', 'desc').limit(page.limit);
    if (page.before !== undefined) query = query.where('source_id', '<', page.before);
    return (await query.execute()).map(toGitSource);
  },
};

function toGitSource(row: Selected): GitSource {
  return {
    id: gitSourceId.require(row.source_id),
    url: row.url,
    ref: row.ref,
    webhookSecretSealed: row.webhook_secret_sealed,
    observedCommit: row.observed_commit ?? undefined,
    appliedCommit: row.applied_commit ?? undefined,
    conditions: row.conditions.map((condition): Condition => ({ ...condition })),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
