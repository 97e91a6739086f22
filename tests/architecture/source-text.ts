export type SourceFile = { path: string; text: string };
export type Import = { specifier: string; line: number };

/**
 * The source with comments, and the insides of strings and regular expressions, blanked out at the same length: what
 * is left at an offset is code. Code inside `${...}` of a template stays.
 */
export function maskNonCode(text: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|(?<=[=(,:[!&|?{};\n]\s*)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/|`(?:[^`\\]|\\[\s\S])*`/g;
  return text.replace(token, (found) => (found.startsWith('`') ? maskTemplate(found) : blank(found)));
}

function maskTemplate(template: string): string {
  const parts = template.split(/(\$\{[^`{}]*\})/);
  return parts.map((part, index) => (index % 2 === 1 ? part : blank(part))).join('');
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Every module the file names: static, dynamic, re-exported, for its side effects or only its types. */
export function importsOf(file: SourceFile): Import[] {
  const code = maskNonCode(file.text);
  const statement = /(?<![\w.$])(?:from|import)\s*\(?\s+/g;
  return [...code.matchAll(statement)].flatMap((match) => {
    const start = match.index + match[0].trimEnd().length;
    const quoted = /^\s*(['"])([^'"\n]+)\1/.exec(file.text.slice(start));
    return quoted?.[2] === undefined ? [] : [{ specifier: quoted[2], line: lineAt(file.text, match.index) }];
  });
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The path of a relative import from the project's root; a package's name unchanged. */
export function resolveImport(from: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** The package of a specifier: `@scope/name/path` and `name/path` without the path. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
