import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** Paths in backquotes that begin with a folder of ours; those with a pattern or a placeholder name no one file. */
function pathsIn(text: string): string[] {
  const quoted = [...text.matchAll(/`((?:functions|shared|policies|knative|migrations|tests)\/[^`\s]*)`/g)];
  return quoted.map(([, path]) => path ?? '').filter((path) => !/[*<{]/.test(path));
}

// A map that names a street that is gone is worse than no map.
test.each(documents)('every path that %s names is there', async (document) => {
  const paths = pathsIn(await readFile(join(root, document), 'utf8'));
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('README names every npm script that people run', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const spelt = (name: string) => (['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`);
  expect(Object.keys(scripts).filter((name) => !readme.includes(spelt(name)))).toEqual([]);
});
