import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'knative/README.md'];

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

/** Every first group of a pattern in files of ours. */
async function findAll(files: string, pattern: RegExp): Promise<string[]> {
  const found = new Set<string>();
  for await (const path of glob(files, { cwd: root })) {
    const text = await readFile(join(root, path), 'utf8');
    for (const [, name = ''] of text.matchAll(pattern)) found.add(name);
  }
  return [...found].sort();
}

// Whoever deploys has nothing else that says what these objects hold.
test.each([
  ['a key of a ConfigMap or Secret', 'knative/base/*.yaml', /KeyRef: \{ name: [a-z-]+, key: ([a-z-]+)/g],
  ['a ConfigMap or Secret', 'knative/base/*.yaml', /(?:KeyRef: \{ name|secretName): ([a-z-]+)/g],
  ['a topic', 'knative/triggers/*.yaml', /topics?: \[?([a-z.-]+)/g],
])('knative/README.md tells of %s whatever the manifests name', async (_, files, pattern) => {
  const readme = await readFile(join(root, 'knative', 'README.md'), 'utf8');
  const names = await findAll(files, pattern);
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});

// Node 20, which is enough for `npm start`, runs no TypeScript.
test('no document tells to run TypeScript with whatever Node there is', async () => {
  const files = '{*.md,functions/*/README.md,policies/README.md,knative/README.md,shared/**/README.md}';
  expect(await findAll(files, /(`(?:npx )?node [\w./-]+\.ts)/g)).toEqual([]);
});

// Whoever is told "below a second" counts on it: what a killed instance loses is what it had not journaled yet.
test('authorize journals decisions as often as its README says', async () => {
  const read = (path: string) => readFile(join(root, path), 'utf8');
  const recorder = await read('shared/decision-record/decision-recorder.ts');
  expect(/options\.journalMs \?\? (\d+)\)/.exec(recorder)?.[1]).toBe('100');
  expect(await read('functions/authorize/index.ts')).not.toContain('journalMs');
  const readme = await read('functions/authorize/README.md');
  expect(readme).toMatch(/\*Journaled\* ten times a second[\s\S]{0,200}below a second/);
});
