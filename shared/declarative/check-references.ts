import { checkTeams } from './check-structure.ts';
import type { DeclaredDocument } from './document-schema.ts';
import { builtInRoles, isBuiltInRole, platformRole } from './entity.ts';
import { type Fault, type Position, quote, toFault, toFaultText } from './fault.ts';
import type { LocatedDocument } from './located-document.ts';

type Reference = { readonly to: string; readonly path: readonly PropertyKey[] };

/**
 * What no single document can show: that names are unique, that everything referred to exists, that teams form a
 * tree. `known` holds every `kind/name` that was readable, also of documents with faults of their own; without it
 * nothing is called missing.
 */
export function checkReferences(
  documents: readonly LocatedDocument[],
  known: ReadonlySet<string> | undefined,
): Fault[] {
  return [
    ...(known === undefined ? [] : checkDangling(documents, known)),
    ...checkUnique(documents, 'name', ({ kind, metadata }) => `${kind} ${quote(metadata.name)}`, [
      'metadata',
      'name',
    ]),
    ...checkUnique(
      documents,
      'email',
      (document) => (document.kind === 'User' ? document.spec.email.toLowerCase() : undefined),
      ['spec', 'email'],
      // Threat: a fault stands in the audit log for ever, and must not say what a person's address was.
      () => 'this address',
    ),
    ...documents.flatMap(checkRepeated),
    ...documents.flatMap(checkRoleName),
    ...checkTeams(documents),
  ];
}

// Guessing compares with every name; the bounds keep a hostile declaration from buying minutes of it.
const guessesMax = 100;
const candidatesMax = 1000;

function checkDangling(documents: readonly LocatedDocument[], known: ReadonlySet<string>): Fault[] {
  const dangling = documents.flatMap(({ document, positionOf }) =>
    listDocumentReferences(document)
      .filter(({ to }) => !known.has(to))
      .map(({ to, path }) => ({ to, position: positionOf(path) })),
  );
  return dangling.map(({ to, position }, index) => {
    if (to === `role/${platformRole}`) {
      return toFault(position, `the role "${platformRole}" cannot be given by a declaration`);
    }
    const [kind = '', name = ''] = to.split('/');
    const guess = { written: name, known: index < guessesMax ? listNames(kind, known) : [] };
    return toFault(position, `no ${kind} ${quote(name)} is declared`, guess);
  });
}

function listNames(kind: string, known: ReadonlySet<string>): string[] {
  const declared = [...known]
    .filter((key) => key.startsWith(`${kind}/`))
    .map((key) => key.slice(kind.length + 1));
  return (kind === 'role' ? [...builtInRoles, ...declared] : declared).slice(0, candidatesMax);
}

function listDocumentReferences({ kind, spec }: DeclaredDocument): Reference[] {
  const team = (name: string | undefined, ...path: string[]): Reference[] =>
    name === undefined ? [] : [{ to: `team/${name}`, path: ['spec', ...path] }];
  if (kind === 'Team' || kind === 'Group') {
    const members = spec.members.map((to, index) => ({ to, path: ['spec', 'members', index] }));
    return [...(kind === 'Team' ? team(spec.parent, 'parent') : []), ...members];
  }
  if (kind === 'ServiceAccount') return team(spec.ownerTeam, 'ownerTeam');
  if (kind !== 'RoleBinding') return [];
  const role = isBuiltInRole(spec.role) ? [] : [{ to: `role/${spec.role}`, path: ['spec', 'role'] }];
  return [
    ...role,
    { to: spec.subject, path: ['spec', 'subject'] },
    ...team(spec.scope?.team, 'scope', 'team'),
  ];
}

function checkUnique(
  documents: readonly LocatedDocument[],
  what: string,
  toKey: (document: DeclaredDocument) => string | undefined,
  path: readonly string[],
  toShown: (key: string) => string = (key) => key,
): Fault[] {
  const first = new Map<string, Position>();
  return documents.flatMap(({ document, positionOf }) => {
    const key = toKey(document);
    if (key === undefined) return [];
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, positionOf(path));
      return [];
    }
    const place = toFaultText(toFault(earlier, '')).replace(/: $/, '');
    return [toFault(positionOf(path), `duplicate ${what}: ${toShown(key)} is already declared at ${place}`)];
  });
}

function checkRepeated({ document, positionOf }: LocatedDocument): Fault[] {
  const { kind, spec } = document;
  const [field, list] =
    kind === 'Team' || kind === 'Group'
      ? ['members', spec.members]
      : kind === 'Role'
        ? ['permissions', spec.permissions]
        : ['', []];
  return list.flatMap((entry, index) =>
    list.indexOf(entry) === index
      ? []
      : [toFault(positionOf(['spec', field, index]), `${quote(entry)} is listed twice`)],
  );
}

const reservedRoles = new Set([...builtInRoles, platformRole].map(toPlainName));

function checkRoleName({ document, positionOf }: LocatedDocument): Fault[] {
  const { kind, metadata } = document;
  // Threat: a role `org-owner` that grants little hides the one that grants all, or the other way round.
  if (kind !== 'Role' || !reservedRoles.has(toPlainName(metadata.name))) return [];
  return [
    toFault(
      positionOf(['metadata', 'name']),
      `the role name ${quote(metadata.name)} is reserved for a built-in role`,
    ),
  ];
}

function toPlainName(name: string): string {
  return name.replaceAll('-', '').toLowerCase();
}
