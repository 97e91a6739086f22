import { type Fault, toFault } from './fault.ts';
import type { LocatedDocument } from './located-document.ts';

/** Teams form a forest: following `parent` always ends. One fault for each cycle, at one of its members. */
export function checkTeams(documents: readonly LocatedDocument[]): Fault[] {
  const teams = new Map<string, { parent: string | undefined; located: LocatedDocument }>();
  for (const located of documents) {
    const { document } = located;
    if (document.kind === 'Team') {
      teams.set(document.metadata.name, { parent: document.spec.parent, located });
    }
  }
  const judged = new Set<string>();
  return [...teams.keys()].flatMap((start) => {
    const cycle = findCycle(start, (team) => teams.get(team)?.parent, judged);
    const located = teams.get(cycle[0] ?? '')?.located;
    if (located === undefined) return [];
    return [toFault(located.positionOf(['spec', 'parent']), `teams form a cycle: ${cycle.join(' -> ')}`)];
  });
}

/** Walks each team once over all calls: linear, however deep the tree is. Empty when the walk ends. */
function findCycle(
  start: string,
  parentOf: (team: string) => string | undefined,
  judged: Set<string>,
): string[] {
  const path: string[] = [];
  let team: string | undefined = start;
  while (team !== undefined && !judged.has(team)) {
    judged.add(team);
    path.push(team);
    team = parentOf(team);
  }
  const entry = team === undefined ? -1 : path.indexOf(team);
  return entry < 0 || team === undefined ? [] : [...path.slice(entry), team];
}

/** Only people count, only for the whole organization, and only for good: an expiring owner is not one to rely on. */
export function checkOwners(documents: readonly LocatedDocument[]): Fault[] {
  const members = new Map<string, readonly string[]>();
  const subjects = new Set<string>();
  for (const { document } of documents) {
    const { name } = document.metadata;
    if (document.kind === 'Team') members.set(`team/${name}`, document.spec.members);
    if (document.kind === 'Group') members.set(`group/${name}`, document.spec.members);
    if (document.kind === 'RoleBinding' && isOwnerForGood(document.spec)) subjects.add(document.spec.subject);
  }
  const owners = [...subjects].flatMap((subject) => members.get(subject) ?? [subject]);
  const people = new Set(owners.filter((owner) => owner.startsWith('user/'))).size;
  return documents.flatMap(({ document, positionOf }) => {
    if (document.kind !== 'Organization' || people >= document.spec.guards.minOwners) return [];
    const message = `guards.minOwners asks for ${document.spec.guards.minOwners} owners, ${people} are declared`;
    return [toFault(positionOf(['spec', 'guards', 'minOwners']), message)];
  });
}

function isOwnerForGood(spec: {
  role: string;
  effect: string;
  scope?: object | undefined;
  expiresAt?: string | undefined;
  conditions: readonly object[];
}): boolean {
  const { role, effect, scope, expiresAt, conditions } = spec;
  const isUnlimited = scope === undefined && expiresAt === undefined && conditions.length === 0;
  return role === 'OrgOwner' && effect === 'allow' && isUnlimited;
}
