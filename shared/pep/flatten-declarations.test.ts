import { expect, test } from 'vitest';
import { exportedNames, flattenDeclarations } from './flatten-declarations.ts';

const files = [
  "import type { B } from './b.ts';\n/** Says a. */\nexport type A = {\n    readonly b: B;\n    readonly kind: 'Unused';\n};\nexport type Unused = string;\n",
  '/** Mentions Unused. */\nexport type B = number;\nexport declare function make(a: A): void;\nexport {};\n',
];

test('keeps what is exported and what it mentions, with comments, and nothing else', () => {
  expect(flattenDeclarations(files, ['A', 'make'])).toBe(
    "/** Says a. */\ntype A = {\n    readonly b: B;\n    readonly kind: 'Unused';\n};\n/** Mentions Unused. */\ntype B = number;\ndeclare function make(a: A): void;\nexport { type A, make };\n",
  );
});

test('refuses two declarations of one name, and a name nobody declares', () => {
  expect(() => flattenDeclarations([...files, 'export type B = string;'], ['A'])).toThrow('"B"');
  expect(() => flattenDeclarations(files, ['C'])).toThrow('C');
});

test('reads the names of an index', () => {
  const index =
    "/** export { no } from 'x' */\nexport { a, type B } from './a.ts';\nexport type {\n  C,\n} from './c.ts';\n";
  expect(exportedNames(index)).toEqual(['a', 'B', 'C']);
});
