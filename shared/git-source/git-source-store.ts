import type { OrgTransaction } from '../db/index.ts';
import type { GitSource } from './git-source.ts';
import type { GitSourceId } from './git-source-id.ts';

/** Git sources, visible to a transaction of the platform's organization only. `add` is false when url and ref are taken. */
export type GitSourceStore = {
  add(tx: OrgTransaction, source: GitSource): Promise<boolean>;
  find(tx: OrgTransaction, id: GitSourceId): Promise<GitSource | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: { limit: number; before?: GitSourceId }): Promise<GitSource[]>;
};
