import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from 'yaml';
import { type Fault, type Position, quoteName, startOf, toFault } from './fault.ts';
import { blankSecrets } from './secret-scan.ts';

export type SourceFile = { readonly path: string; readonly text: string };

export type YamlDocument = {
  readonly value: unknown;
  /** Where the value at the path begins, or its key; the nearest enclosing thing when there is no such path. */
  positionOf(path: readonly PropertyKey[], part?: 'key' | 'value'): Position;
};

const yamlLimits = { fileBytesMax: 256 * 1024, documentsMax: 2000, depthMax: 20 } as const;

// YAML 1.2 core and nothing that makes a document mean more than it shows. Duplicate keys are found here, in
// linear time: the library compares each key with each (30 000 keys held a core for six seconds).
const parseOptions = {
  version: '1.2',
  schema: 'core',
  merge: false,
  uniqueKeys: false,
  stringKeys: true,
  prettyErrors: false,
  resolveKnownTags: false,
  logLevel: 'silent',
} as const;

export type ReadYaml = {
  readonly documents: readonly YamlDocument[];
  readonly faults: readonly Fault[];
  /** False when something in the file could not be read, so that what seems missing may well be there. */
  readonly isComplete: boolean;
};

/** Every document that is safe to read, and a fault for each thing that is not. Never throws. */
export function readYaml(file: SourceFile): ReadYaml {
  if (Buffer.byteLength(file.text) > yamlLimits.fileBytesMax) {
    return refuse(file, `the file is larger than ${yamlLimits.fileBytesMax} bytes`);
  }
  const { text, found } = blankSecrets(file.text);
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { ...parseOptions, lineCounter });
  if (parsed.length > yamlLimits.documentsMax) {
    return refuse(file, `the file holds more than ${yamlLimits.documentsMax} documents`);
  }
  const at = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file: file.path, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = found.map(({ what, offset }) =>
    toFault(at(offset), `looks like ${what}; a declaration never holds secrets`),
  );
  const documents: YamlDocument[] = [];
  let isComplete = true;
  for (const document of parsed) {
    if (document.contents === null && document.errors.length === 0) continue;
    const unsafe = listUnsafe(document).map(({ offset, message }) => toFault(at(offset), message));
    faults.push(...unsafe);
    if (unsafe.length === 0) documents.push(toYamlDocument(document, at));
    else isComplete = false;
  }
  return { documents, faults, isComplete };
}

function refuse(file: SourceFile, message: string): ReadYaml {
  return { documents: [], faults: [toFault(startOf(file.path), message)], isComplete: false };
}

type Unsafe = { readonly offset: number; readonly message: string };

function listUnsafe(document: Document.Parsed): Unsafe[] {
  const unsafe: Unsafe[] = document.errors
    .slice(0, 20)
    .map((error) => ({ offset: error.pos[0], message: `is not YAML: ${toReason(error.code)}` }));
  if (unsafe.length > 0) return unsafe;
  const { yaml, tags } = document.directives;
  if (yaml.explicit || Object.keys(tags).length > 1) {
    unsafe.push({ offset: document.range[0], message: 'directives (lines that begin with %) are refused' });
  }
  visit(document, (_key, node, path) => {
    if (isCollection(node) && path.filter(isCollection).length >= yamlLimits.depthMax) {
      unsafe.push({ offset: startOfNode(node), message: `nests deeper than ${yamlLimits.depthMax} levels` });
      return visit.BREAK;
    }
    if (isNode(node)) unsafe.push(...listUnsafeMarks(node));
    if (isMap(node)) unsafe.push(...listUnsafeKeys(node.items.map((pair) => pair.key)));
    return undefined;
  });
  return unsafe;
}

/** `UNEXPECTED_TOKEN` as words. The parser's own message quotes the document. */
function toReason(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function listUnsafeMarks(node: Node): Unsafe[] {
  const offset = startOfNode(node);
  if (isAlias(node)) return [{ offset, message: 'aliases are refused' }];
  return [
    ...(node.anchor === undefined ? [] : [{ offset, message: 'anchors are refused' }]),
    ...(node.tag === undefined ? [] : [{ offset, message: 'tags are refused' }]),
  ];
}

function listUnsafeKeys(keys: readonly unknown[]): Unsafe[] {
  const seen = new Set<unknown>();
  return keys.flatMap((key) => {
    if (!isScalar(key)) return [];
    const offset = startOfNode(key);
    // Threat: `__proto__` as an own key turns into a prototype in the first careless copy.
    if (key.value === '__proto__') return [{ offset, message: 'the key "__proto__" is refused' }];
    if (key.value === '<<') return [{ offset, message: 'merge keys are refused' }];
    if (seen.has(key.value))
      return [
        {
          offset,
          message: `duplicate key ${quoteName(typeof key.value === 'string' ? key.value : '')}`,
        },
      ];
    seen.add(key.value);
    return [];
  });
}

function startOfNode(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function toYamlDocument(document: Document.Parsed, at: (offset: number) => Position): YamlDocument {
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    positionOf: (path, part = 'value') => at(locate(document.contents, path, part)),
  };
}

function locate(root: Node | null, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node: unknown = root;
  let offset = startOfNode(root);
  for (const segment of path) {
    const child = findChild(node, segment);
    if (child === undefined) break;
    node = isPair(child) ? child.value : child;
    offset = startOfNode(isPair(child) && (part === 'key' || !isNode(node)) ? child.key : node);
  }
  return offset;
}

function findChild(node: unknown, segment: PropertyKey): unknown {
  if (isMap(node)) return node.items.find((pair) => isScalar(pair.key) && pair.key.value === segment);
  return isSeq(node) && typeof segment === 'number' ? node.items[segment] : undefined;
}
