import { z } from 'zod';
import {
  apiVersion,
  type DeclaredDocument,
  type DocumentKind,
  documentSchemas,
  isDocumentKind,
} from './document-schema.ts';
import { type Fault, quoteName, showPath, toFault } from './fault.ts';
import type { YamlDocument } from './read-yaml.ts';

/**
 * One YAML document as a declared one, or everything that is wrong with it. `identity` is what it would be called
 * if it were right, so that one mistake is not reported again by everything that refers to it.
 */
export type ReadDocument = {
  readonly document?: DeclaredDocument;
  readonly identity?: { readonly kind: DocumentKind; readonly name: string };
  readonly faults: readonly Fault[];
};

export function readDocument(source: YamlDocument): ReadDocument {
  const { value } = source;
  if (!isRecord(value)) {
    return {
      faults: [
        toFault(source.positionOf([]), 'a document must be a mapping of apiVersion, kind, metadata and spec'),
      ],
    };
  }
  const kind = value['kind'];
  const faults = [...checkVersion(source, value['apiVersion']), ...checkKind(source, kind)];
  if (!isDocumentKind(kind)) return { faults };
  const parsed = documentSchemas[kind].safeParse(value);
  const identity = toIdentity(kind, value);
  if (parsed.success) return { document: parsed.data, ...identity, faults };
  const issues = parsed.error.issues.filter((issue) => issue.path[0] !== 'apiVersion');
  return { ...identity, faults: [...faults, ...issues.flatMap((issue) => toFaults(source, kind, issue))] };
}

function toIdentity(kind: DocumentKind, value: Record<string, unknown>): Pick<ReadDocument, 'identity'> {
  const name = isRecord(value['metadata']) ? value['metadata']['name'] : undefined;
  return typeof name === 'string' ? { identity: { kind, name } } : {};
}

const versionName = /^[a-z0-9.-]{1,60}(\/[a-z0-9]{1,20})?$/;

function checkVersion(source: YamlDocument, version: unknown): Fault[] {
  if (version === apiVersion) return [];
  const position = source.positionOf(['apiVersion']);
  if (version === undefined) return [toFault(position, 'missing "apiVersion"', guess('', [apiVersion]))];
  const written = typeof version === 'string' ? version : '';
  return [
    toFault(position, `unknown apiVersion ${quoteName(written, versionName)}`, guess(written, [apiVersion])),
  ];
}

function checkKind(source: YamlDocument, kind: unknown): Fault[] {
  if (isDocumentKind(kind)) return [];
  const position = source.positionOf(['kind']);
  if (kind === undefined) return [toFault(position, 'missing "kind"')];
  const known = Object.keys(documentSchemas);
  const written = typeof kind === 'string' ? kind : '';
  const message = `unknown kind ${quoteName(written)}, known are ${known.join(', ')}`;
  return [toFault(position, message, guess(written, known))];
}

function guess(written: string, known: readonly string[]): { written: string; known: readonly string[] } {
  return { written, known };
}

function toFaults(source: YamlDocument, kind: DocumentKind, issue: z.core.$ZodIssue): Fault[] {
  const where = showPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = listKeys(documentSchemas[kind], issue.path);
    return issue.keys.map((key) =>
      toFault(
        source.positionOf([...issue.path, key], 'key'),
        `unknown key ${quoteName(key)}`,
        guess(key, known),
      ),
    );
  }
  const written = valueAt(source.value, issue.path);
  const position = source.positionOf(issue.path);
  if (written === undefined) return [toFault(position, `missing "${where}"`)];
  const known = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const text = typeof written === 'string' ? written : '';
  return [toFault(position, `"${where}": ${issue.message}`, guess(text, known))];
}

function listKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const segment of path) {
    current = unwrap(current);
    current = current instanceof z.ZodObject ? current.shape[String(segment)] : undefined;
  }
  current = unwrap(current);
  return current instanceof z.ZodObject ? Object.keys(current.shape) : [];
}

function unwrap(schema: unknown): unknown {
  const wraps =
    schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wraps ? unwrap(schema.unwrap()) : schema;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const segment of path) {
    if (Array.isArray(current) && typeof segment === 'number') current = current[segment];
    else if (isRecord(current) && typeof segment === 'string') current = current[segment];
    else return undefined;
  }
  return current;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
