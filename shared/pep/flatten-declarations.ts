import { invariant } from '../kernel/index.ts';

type Declaration = { readonly name: string; readonly text: string };

/**
 * One declaration file out of the compiler's many: the declarations the index exports and those they mention, each
 * once. Made for declarations as `tsc` prints them, a statement beginning at the left margin.
 */
export function flattenDeclarations(files: readonly string[], exported: readonly string[]): string {
  const declarations = files.flatMap(splitDeclarations);
  const wanted = new Map<string, string>();
  const want = (name: string): void => {
    const [found, ...more] = declarations.filter((declaration) => declaration.name === name);
    if (found === undefined || wanted.has(name)) return;
    invariant(more.length === 0, `two declarations are called "${name}"`);
    wanted.set(name, found.text);
    mentionedIn(found.text).forEach(want);
  };
  exported.forEach(want);
  const missing = exported.filter((name) => !wanted.has(name));
  invariant(missing.length === 0, `exported and not declared: ${missing.join(', ')}`);
  const isType = (name: string) => /^type /m.test(withoutComments(wanted.get(name) ?? ''));
  const names = exported.map((name) => (isType(name) ? `type ${name}` : name));
  return `${[...wanted.values()].join('\n')}\nexport { ${names.join(', ')} };\n`;
}

/** Names in the `export` statements of an index. */
export function exportedNames(index: string): string[] {
  const lists = [...withoutComments(index).matchAll(/export (?:type )?\{([^}]*)\} from/g)];
  return lists.flatMap(([, list = '']) =>
    list
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== ''),
  );
}

const start = /^(?:export )?(?:declare )?(?:type|function|class|const|interface) (\w+)/;

function splitDeclarations(file: string): Declaration[] {
  const declarations: { name: string; lines: string[] }[] = [];
  let comment: string[] = [];
  for (const line of file.split('\n')) {
    const name = start.exec(line)?.[1];
    if (name !== undefined) {
      declarations.push({ name, lines: [...comment, line.replace(/^export /, '')] });
      comment = [];
    } else if (line.startsWith('/**') || (comment.length > 0 && line.startsWith(' *'))) {
      comment.push(line);
    } else if (!/^(import|export) /.test(line)) {
      declarations.at(-1)?.lines.push(line);
    }
  }
  return declarations.map(({ name, lines }) => ({ name, text: lines.join('\n').trimEnd() }));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '');
}

function mentionedIn(text: string): string[] {
  return (
    withoutComments(text)
      .replace(/'[^']*'|"[^"]*"/g, '')
      .match(/\w+/g) ?? []
  );
}
