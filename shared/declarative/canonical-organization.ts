import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../kernel/index.ts';
import type { DeclaredDocument } from './document-schema.ts';
import { type Entity, toEntityKey } from './entity.ts';

/** What Git says an organization should be: entities sorted by key, lists sorted, defaults filled in. */
export type DeclaredOrganization = { readonly slug: string; readonly entities: readonly Entity[] };

export type Sha256 = `sha256:${string}`;

/** The one form in which equal declarations are equal bytes, however their files are cut and ordered. */
export function canonicalOrganization(
  slug: string,
  documents: readonly DeclaredDocument[],
): DeclaredOrganization {
  return { slug, entities: sortEntities(documents.flatMap(toEntities)) };
}

export function hashOrganization(declared: DeclaredOrganization): Sha256 {
  return sha256(declared);
}

/** SHA-256 of the canonical JSON (RFC 8785). */
export function sha256(value: JsonValue): Sha256 {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

export function sortEntities<Some extends Entity>(entities: readonly Some[]): Some[] {
  return entities.toSorted((a, b) => compareText(toEntityKey(a), toEntityKey(b)));
}

/** By UTF-16 code units: the same on every machine, unlike a locale's order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toEntities({ kind, metadata: { name }, spec }: DeclaredDocument): Entity[] {
  switch (kind) {
    case 'Organization':
      return [{ kind: 'organization', name, spec }];
    case 'User':
      return [{ kind: 'user', name, spec: { ...spec, email: spec.email.toLowerCase() } }];
    case 'Role':
      return [{ kind: 'role', name, spec: { ...spec, permissions: spec.permissions.toSorted(compareText) } }];
    case 'Team': {
      const { displayName, parent = null, members } = spec;
      return [
        { kind: 'team', name, spec: { displayName, parent } },
        ...members.map((member): Entity => {
          return { kind: 'team-member', name: `${name}/${member}`, spec: { team: name, member } };
        }),
      ];
    }
    case 'Group': {
      const { displayName, members } = spec;
      return [
        { kind: 'group', name, spec: { displayName } },
        ...members.map((member): Entity => {
          return { kind: 'group-member', name: `${name}/${member}`, spec: { group: name, member } };
        }),
      ];
    }
    case 'ServiceAccount': {
      const { displayName, ownerTeam = null, labels } = spec;
      const account = { displayName, ownerTeam, labels, expiresAt: toInstant(spec.expiresAt) };
      return [{ kind: 'service-account', name, spec: account }];
    }
    case 'RoleBinding': {
      const { role, subject, scope = null, effect, expiresAt, conditions } = spec;
      const binding = { role, subject, scope, effect, expiresAt: toInstant(expiresAt), conditions };
      return [{ kind: 'role-binding', name, spec: binding }];
    }
  }
}

function toInstant(written: string | undefined): string | null {
  return written === undefined ? null : new Date(written).toISOString();
}
