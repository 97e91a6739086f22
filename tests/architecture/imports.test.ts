import { existsSync } from 'node:fs';
import { glob, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findViolations } from './rules.ts';
import { importsOf } from './source-text.ts';

const root = join(import.meta.dirname, '..', '..');

async function readSources() {
  const paths: string[] = [];
  const pattern = '{functions,shared,knative,migrations,policies,tests}/**/*.ts';
  for await (const path of glob(pattern, { cwd: root })) paths.push(path);
  return Promise.all(
    paths.sort().map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
  );
}

test('every file imports only what it may and keeps within its limits', async () => {
  const sources = await readSources();
  expect(sources.length).toBeGreaterThan(50);
  const violations = findViolations(sources);
  expect(violations.join('\n')).toBe('');
});

const functionNames = existsSync(join(root, 'functions'))
  ? (await readdir(join(root, 'functions'), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  : [];

test.each(functionNames)('the function %s has its index, configuration, README and manifest', (name) => {
  const wanted = ['index.ts', 'config.ts', 'README.md'].map((file) => `functions/${name}/${file}`);
  const missing = [...wanted, `knative/base/${name}.yaml`].filter((path) => !existsSync(join(root, path)));
  expect(missing).toEqual([]);
});

describe('the rules notice', () => {
  test.each([
    ['functions/token/handler.ts', "import { x } from '../admin/handler.ts';", '1. A function imports only'],
    [
      'functions/token/handler.ts',
      "import { x } from '../../knative/local/postgres.ts';",
      '1. A function imports only',
    ],
    ['shared/api-key/api-key.ts', "import { x } from '../budget/budget.ts';", '2. Another module of shared'],
    [
      'functions/token/handler.ts',
      "export { x } from '../../shared/budget/budget.ts';",
      '2. Another module of shared',
    ],
    [
      'shared/kernel/clock.ts',
      "import type { x } from '../budget/index.ts';",
      '2. shared/kernel imports nothing',
    ],
    [
      'shared/budget/budget.ts',
      "const x = await import('../../tests/support/postgres.ts');",
      '3. shared never imports',
    ],
    [
      'shared/http/serve.ts',
      "import { NodeSDK } from '@opentelemetry/sdk-node';",
      '3. The OpenTelemetry SDK',
    ],
    ['shared/budget/budget.ts', "import { sql } from 'kysely';", '4. kysely and pg'],
    ['knative/local/main.ts', "import pg from 'pg';", '4. kysely and pg'],
    [
      'functions/token/handler.ts',
      "import { x } from '../../shared/events/publisher.kafka.ts';",
      '5. Only a composition root',
    ],
    ['shared/events/relay.ts', "import { x } from './publisher.memory.ts';", '5. Only a composition root'],
    [
      'functions/token/handler.ts',
      "import opa from '@open-policy-agent/opa-wasm';",
      '6. Only shared/authorization',
    ],
    ['shared/budget/budget.ts', 'const url = process.env.URL;', '3. shared never reads process.env'],
    ['functions/token/handler.ts', 'const now = Date.now();', '5. The present is injected'],
    ['shared/budget/budget.ts', 'const now = new Date();', '5. The present is injected'],
    ['shared/budget/budget.ts', 'const key = randomBytes(32);', '5. Randomness is injected'],
    ['shared/budget/budget.ts', `const text = \`\${Math.random()}\`;`, '5. Randomness is injected'],
    ['functions/token/handler.ts', 'console.log(1);', '5. Nothing in shared or functions'],
  ])('in %s: %s', (path, text, rule) => {
    const violations = findViolations([{ path, text: `\n${text}\n` }]);
    expect(violations.join('\n')).toContain(rule);
    expect(violations[0]).toMatch(/^[\w./-]+:2 /);
  });

  test('a file of more than 300 lines, unless it is a test or data', () => {
    const text = 'next();\n'.repeat(301);
    const paths = ['shared/budget/budget.ts', 'shared/budget/budget.test.ts', 'tests/vectors/data/all.ts'];
    const violations = findViolations(paths.map((path) => ({ path, text })));
    expect(violations).toEqual([expect.stringContaining('shared/budget/budget.ts:301 has 301 lines')]);
  });

  test('a file that takes the chooser among implementations, and not one that opens something else', () => {
    const violations = findViolations([
      { path: 'shared/events/open-publisher.ts', text: "import { x } from './publisher.kafka.ts';" },
      { path: 'shared/events/relay.ts', text: "import { x } from './open-publisher.ts';" },
      { path: 'shared/audit/open-log.ts', text: "import { x } from './log.ts';" },
      { path: 'shared/audit/append.ts', text: "import { x } from './open-log.ts';" },
    ]);
    expect(violations).toEqual([expect.stringContaining('shared/events/relay.ts:1')]);
  });

  test('a cycle through three modules, once', () => {
    const cycle = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['d', 'a'],
    ].map(([from, to]) => ({
      path: `shared/${from}/index.ts`,
      text: `import { x } from '../${to}/index.ts';`,
    }));
    expect(findViolations(cycle)).toEqual([
      expect.stringContaining('shared/a -> shared/b -> shared/c -> shared/a'),
    ]);
  });
});

describe('the rules allow', () => {
  test.each([
    ['functions/token/index.ts', "import { x } from '../../shared/events/publisher.kafka.ts';"],
    ['functions/token/handler.ts', "import { x } from '../../shared/events/index.ts';"],
    ['functions/token/handler.test.ts', "import { x } from '../../tests/support/postgres.ts';"],
    ['shared/budget/budget-store.postgres.ts', "import { sql } from 'kysely';"],
    ['shared/budget/budget.test.ts', "import { x } from '../events/publisher.memory.ts';"],
    [
      'shared/budget/budget.ts',
      "// import pg from 'pg';\n/** Date.now() is refused. */\nconst text = 'new Date()';",
    ],
    ['shared/budget/budget.ts', 'const when = new Date(text);'],
    ['knative/local/main.ts', 'console.log(process.env.HOME, Date.now());'],
  ])('in %s: %s', (path, text) => expect(findViolations([{ path, text }])).toEqual([]));
});

test('imports are found in every form, and not in comments or strings', () => {
  const text = `
import a, { type B } from 'a';
import type { C } from "b";
import 'c';
export { d } from 'd';
const e = await import('e');
import {
  f,
} from 'f';
// import 'no';
const text = "import 'no'"; const template = \`from 'no' \${x}\`;
`;
  expect(importsOf({ path: 'x.ts', text })).toEqual([
    { specifier: 'a', line: 2 },
    { specifier: 'b', line: 3 },
    { specifier: 'c', line: 4 },
    { specifier: 'd', line: 5 },
    { specifier: 'e', line: 6 },
    { specifier: 'f', line: 9 },
  ]);
});
