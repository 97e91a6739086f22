import { LRUCache } from 'lru-cache';

/** The teams of an organization as of one moment. */
export type TeamTree = {
  /** That of subjects' facts: while it stays, so does the tree. Undefined where no changes are counted. */
  readonly revision: number | undefined;
  readonly teams: number;
  /** All teams below one, in the order of their ids: one list for all who ask, while there is room for it. */
  below(teamId: string): readonly string[];
};

/**
 * The trees seen last in this process. After half an hour one is read anew, as facts are: for whoever changes teams with
 * triggers switched off.
 */
export type TeamTrees = Pick<LRUCache<string, TeamTree>, 'get' | 'set'>;

const treesMax = 10_000;
const ttlMs = 30 * 60_000;
/** In all trees together; with the lists of those below, about 150 bytes each. */
const teamsMax = 500_000;
/** What a tree's lists may hold together, for each of its teams: enough for all of them where it is so deep. */
const listedPerTeam = 8;

export function rememberTeamTrees(): TeamTrees {
  return new LRUCache<string, TeamTree>({
    max: treesMax,
    ttl: ttlMs,
    maxSize: teamsMax,
    sizeCalculation: ({ teams }) => 1 + teams,
  });
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
    below: (teamId) => {
      const known = lists.get(teamId);
      if (known !== undefined) return known;
      const list = listBelow(byParent, teamId);
      if (list.length <= room) {
        lists.set(teamId, list);
        room -= list.length;
      }
      return list;
    },
  };
}

function listBelow(byParent: ReadonlyMap<string, readonly string[]>, teamId: string): readonly string[] {
  // Those added are visited in their turn; a circle, which the database has none of, would end too.
  const below = new Set(byParent.get(teamId));
  for (const team of below) for (const child of byParent.get(team) ?? []) below.add(child);
  return [...below].sort();
}
