import { type Fail, fail, namePattern, ok, type Result } from '../kernel/index.ts';
import { canonicalOrganization, compareText, type DeclaredOrganization } from './canonical-organization.ts';
import { checkReferences } from './check-references.ts';
import { checkOwners } from './check-structure.ts';
import type { DocumentKind } from './document-schema.ts';
import { type Fault, quote, startOf, toFault } from './fault.ts';
import type { LocatedDocument } from './located-document.ts';
import { type ReadDocument, readDocument } from './read-document.ts';
import { readYaml, type SourceFile, type YamlDocument } from './read-yaml.ts';

export type DeclarationInvalid = { readonly code: 'declaration.invalid'; readonly faults: readonly Fault[] };

const organizationLimits = {
  filesMax: 1000,
  bytesMax: 8 * 1024 * 1024,
  documentsMax: 20_000,
  faultsMax: 500,
} as const;

/**
 * One organization's files as one declaration, or everything that is wrong with them at once. `faults` are those
 * already found when the files were read: a file left out must not look like a file that declares nothing.
 */
export function parseOrganization(input: {
  slug: string;
  files: readonly SourceFile[];
  faults?: readonly Fault[];
}): Result<DeclaredOrganization, DeclarationInvalid> {
  const folder = startOf(`organizations/${input.slug}`);
  const tooLarge = findExcess(input.files);
  if (tooLarge !== undefined) return invalid([toFault(folder, tooLarge)]);
  const read = input.files.map(readYaml);
  const sources = read.flatMap(({ documents }) => documents);
  if (sources.length > organizationLimits.documentsMax) {
    return invalid([toFault(folder, `more than ${organizationLimits.documentsMax} documents`)]);
  }
  const pairs = sources.map((source) => ({ source, result: readDocument(source) }));
  const located = pairs.flatMap(({ source, result }) => toLocated(source, result));
  const isComplete =
    (input.faults ?? []).length === 0 &&
    read.every((file) => file.isComplete) &&
    pairs.every(({ result }) => result.identity !== undefined);
  const faults = [
    ...(input.faults ?? []),
    ...read.flatMap((file) => file.faults),
    ...pairs.flatMap(({ result }) => result.faults),
    ...checkOrganization(input.slug, pairs, isComplete),
    // What could not be read may hold what seems to be missing: no guesses then, every fault reported is one.
    ...checkReferences(located, isComplete ? listKnown(pairs) : undefined),
    ...(pairs.length === located.length && isComplete ? checkOwners(located) : []),
  ];
  if (faults.length > 0) return invalid(faults);
  return ok(
    canonicalOrganization(
      input.slug,
      located.map(({ document }) => document),
    ),
  );
}

type Pair = { readonly source: YamlDocument; readonly result: ReadDocument };

function toLocated(source: YamlDocument, { document }: ReadDocument): LocatedDocument[] {
  return document === undefined ? [] : [{ document, positionOf: source.positionOf }];
}

const referencePrefixes: Readonly<Record<DocumentKind, string>> = {
  Organization: 'organization',
  Team: 'team',
  Group: 'group',
  User: 'user',
  Role: 'role',
  RoleBinding: 'role-binding',
  ServiceAccount: 'service-account',
};

function listKnown(pairs: readonly Pair[]): ReadonlySet<string> {
  return new Set(
    pairs.flatMap(({ result: { identity } }) =>
      identity === undefined ? [] : [`${referencePrefixes[identity.kind]}/${identity.name}`],
    ),
  );
}

function checkOrganization(slug: string, pairs: readonly Pair[], isComplete: boolean): Fault[] {
  const declared = pairs.filter(({ result }) => result.identity?.kind === 'Organization');
  if (declared.length === 0 && isComplete) {
    return [toFault(startOf(`organizations/${slug}`), 'no document of kind Organization')];
  }
  return declared.flatMap(({ source, result: { identity } }) => {
    // What is no name at all has a fault of its own, which does not quote it.
    if (identity === undefined || identity.name === slug || !namePattern.test(identity.name)) return [];
    const message = `the organization is named ${quote(identity.name)}, its folder ${quote(slug)}`;
    return [
      toFault(source.positionOf(['metadata', 'name']), message, { written: identity.name, known: [slug] }),
    ];
  });
}

function findExcess(files: readonly SourceFile[]): string | undefined {
  const { filesMax, bytesMax } = organizationLimits;
  if (files.length > filesMax) return `more than ${filesMax} files`;
  const bytes = files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
  return bytes > bytesMax ? `more than ${bytesMax} bytes` : undefined;
}

function invalid(faults: readonly Fault[]): Fail<DeclarationInvalid> {
  const sorted = faults.toSorted(
    (a, b) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
  const { faultsMax } = organizationLimits;
  const shown = sorted.slice(0, faultsMax);
  const last = shown.at(-1);
  if (last !== undefined && sorted.length > faultsMax) {
    shown.push(toFault(last, `${sorted.length - faultsMax} more faults are not shown`));
  }
  return fail({ code: 'declaration.invalid', faults: shown });
}
