import { LRUCache } from 'lru-cache';
import type { AuthorizationFeed } from '../authorization-feed/index.ts';

/** The teams of an organization as of one moment. */
export type TeamTree = {
  /** That of the teams: while it stays, so does the tree. Undefined where no changes are counted. */
  readonly revision: number | undefined;
  readonly teams: number;
  /**
   * All teams below one, in the order of their ids: one list for all who ask, while there is room for it. Undefined when
   * there are more than `max`, as soon as that is certain.
   */
  below(teamId: string, max: number): readonly string[] | undefined;
};

/** The trees seen last in this process. */
export type TeamTrees = {
  get(organizationId: string): TeamTree | undefined;
  /** Which history of the database trees are of that are read now; to be asked before one is read. */
  epoch(): number;
  set(organizationId: string, tree: TeamTree, epoch: number): void;
};

const treesMax = 10_000;
/**
 * For whoever changes teams with triggers switched off. Beside a feed as long as facts are kept, which may be made of the
 * oldest tree: an hour in all. Without one it is all that says that the database is another (see below).
 */
const [ttlMs, ttlWithoutFeedMs] = [30 * 60_000, 5_000];
/** In all trees together; with the lists of those below, about 150 bytes each. */
const teamsMax = 500_000;
/** What a tree's lists may hold together, for each of its teams: enough for all of them where it is so deep. */
const listedPerTeam = 8;
const scope = 'team-trees';

/**
 * A revision means one state of the teams within one history of the database. After a failover that lost commits, or a
 * restore, the same number may come again for another state: the feed has lost its connection then, and no tree from
 * before is believed.
 */
export function rememberTeamTrees(feed: AuthorizationFeed | undefined): TeamTrees {
  const trees = new LRUCache<string, { readonly tree: TeamTree; readonly epoch: number }>({
    max: treesMax,
    ttl: feed === undefined ? ttlWithoutFeedMs : ttlMs,
    maxSize: teamsMax,
    sizeCalculation: ({ tree }) => 1 + tree.teams,
  });
  const epoch = () => feed?.epochOf(scope) ?? 0;
  return {
    get: (organizationId) => {
      const known = trees.get(organizationId);
      return known?.epoch === epoch() && feed?.isLive() !== false ? known.tree : undefined;
    },
    epoch,
    set: (organizationId, tree, since) => {
      if (since === epoch()) trees.set(organizationId, { tree, epoch: since });
    },
  };
}

/** `children`: the teams right below a team, by its id. */
export function createTeamTree(
  children: Readonly<Record<string, readonly string[]>>,
  revision: number | undefined,
): TeamTree {
  const byParent = new Map(Object.entries(children));
  const teams = Object.values(children).reduce((sum, { length }) => sum + length, 0);
  const lists = new Map<string, readonly string[]>();
  let room = listedPerTeam * teams;
  return {
    revision,
    teams,
    below: (teamId, max) => {
      const known = lists.get(teamId);
      if (known !== undefined) return known.length <= max ? known : undefined;
      const list = listBelow(byParent, teamId, max);
      if (list !== undefined && list.length <= room) {
        lists.set(teamId, list);
        room -= list.length;
      }
      return list;
    },
  };
}

function listBelow(
  byParent: ReadonlyMap<string, readonly string[]>,
  teamId: string,
  max: number,
): readonly string[] | undefined {
  // Those added are visited in their turn; a circle, which the database has none of, would end too.
  const below = new Set(byParent.get(teamId));
  for (const team of below) {
    if (below.size > max) return undefined;
    for (const child of byParent.get(team) ?? []) below.add(child);
  }
  return [...below].sort();
}
