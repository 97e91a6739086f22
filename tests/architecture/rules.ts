import { importsOf, lineAt, maskNonCode, packageOf, resolveImport, type SourceFile } from './source-text.ts';

/** `isToAdapter`: to an implementation, or to an `open-<port>.ts` that chooses one. */
type Edge = { from: string; to: string; line: number; isToAdapter: boolean };
type ImportRule = { text: string; breaks(edge: Edge): boolean };
type CodeRule = { text: string; pattern: RegExp; applies(path: string): boolean };

const isTest = (path: string) => path.startsWith('tests/') || path.endsWith('.test.ts');
const isPackage = (target: string) => !/^(functions|shared|knative|migrations|policies|tests)\//.test(target);
const isInside =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(`${folder}/`));
const unitOf = (path: string) => path.split('/').slice(0, 2).join('/');
const isIndex = (path: string) => /^shared\/[^/]+\/index\.ts$/.test(path);

/** `key-wrapper.file.ts`: one implementation of a port. */
const isImplementation = (path: string) => /^shared\/.*\/[^/.]+\.(?!test\.|schema\.)[^/.]+\.ts$/.test(path);
const isOpener = (path: string) => /^shared\/[^/]+\/open-[^/.]+\.ts$/.test(path);
const isCompositionRoot = (path: string) =>
  /^functions\/[^/]+\/index\.ts$/.test(path) || isInside('knative', 'migrations', 'policies')(path);
const isSqlFile = (path: string) =>
  isTest(path) ||
  path.endsWith('.postgres.ts') ||
  path === 'knative/local/postgres-roles.ts' ||
  isInside('shared/db', 'migrations')(path);

const importRules: readonly ImportRule[] = [
  {
    text: '1. A function imports only itself and shared/*, never another function.',
    breaks: ({ from, to }) =>
      isInside('functions')(from) &&
      !isPackage(to) &&
      unitOf(from) !== unitOf(to) &&
      !to.startsWith('shared/') &&
      !(isTest(from) && to.startsWith('tests/')),
  },
  {
    text: '2. Another module of shared is entered by its index.ts; a composition root may also name its adapters.',
    breaks: ({ from, to, isToAdapter }) =>
      to.startsWith('shared/') &&
      unitOf(from) !== unitOf(to) &&
      !from.startsWith('tests/') &&
      !isIndex(to) &&
      !(isToAdapter && (isCompositionRoot(from) || isTest(from))),
  },
  {
    text: '2. shared/kernel imports nothing of ours.',
    breaks: ({ from, to }) =>
      from.startsWith('shared/kernel/') && !isPackage(to) && unitOf(from) !== unitOf(to),
  },
  {
    text: '3. shared never imports functions, knative, migrations, policies or tests.',
    breaks: ({ from, to }) =>
      from.startsWith('shared/') &&
      !isPackage(to) &&
      !to.startsWith('shared/') &&
      !(isTest(from) && to.startsWith('tests/')),
  },
  {
    text: '3. The OpenTelemetry SDK is imported only by shared/telemetry/setup.ts.',
    breaks: ({ from, to }) =>
      /^@opentelemetry\/(?!api$)/.test(packageOf(to)) &&
      from !== 'shared/telemetry/setup.ts' &&
      !isTest(from),
  },
  {
    text: '4. kysely and pg belong to *.postgres.ts, shared/db, migrations and tests.',
    breaks: ({ from, to }) => ['kysely', 'pg'].includes(packageOf(to)) && !isSqlFile(from),
  },
  {
    text: '5. Only a composition root chooses an implementation: take the port.',
    breaks: ({ from, isToAdapter }) =>
      isInside('shared', 'functions')(from) &&
      isToAdapter &&
      !isTest(from) &&
      !isCompositionRoot(from) &&
      !isIndex(from) &&
      !isImplementation(from) &&
      !isOpener(from),
  },
  {
    text: '6. Only shared/authorization loads the policy WASM.',
    breaks: ({ from, to }) =>
      packageOf(to) === '@open-policy-agent/opa-wasm' &&
      !from.startsWith('shared/authorization/') &&
      !isTest(from),
  },
];

const isProduct = (path: string) => isInside('shared', 'functions')(path) && !isTest(path);

const codeRules: readonly CodeRule[] = [
  {
    text: '3. shared never reads process.env: settings arrive as arguments.',
    pattern: /\bprocess\s*\.\s*env\b/g,
    applies: (path) => path.startsWith('shared/') && !isTest(path),
  },
  {
    text: '5. The present is injected: take a Clock.',
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bDate\s*\(\s*\)/g,
    applies: (path) => isProduct(path) && path !== 'shared/kernel/clock.ts',
  },
  {
    text: '5. Randomness is injected: take a Random.',
    pattern: /\bMath\s*\.\s*random\b|\brandom(?:Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/g,
    applies: (path) => isProduct(path) && path !== 'shared/kernel/random.ts',
  },
  {
    text: '5. Nothing in shared or functions writes to the console: log through shared/telemetry.',
    pattern: /\bconsole\s*\./g,
    applies: isProduct,
  },
];

const linesMax = 300;
const hasFreeLength = (path: string) => isTest(path) || /(^|\/)(data|vectors|generated)\//.test(path);

/** Every breach as `path:line rule`, in reading order. */
export function findViolations(files: readonly SourceFile[]): string[] {
  const edges = toEdges(files);
  return [
    ...edges.flatMap((edge) =>
      importRules
        .filter((rule) => rule.breaks(edge))
        .map((rule) => `${edge.from}:${edge.line} imports ${edge.to}\n    ${rule.text}`),
    ),
    ...findCycles(edges),
    ...files.flatMap(findForbiddenCode),
    ...files.flatMap(findLongFile),
  ];
}

function toEdges(files: readonly SourceFile[]): Edge[] {
  const bare = files.flatMap((file) =>
    importsOf(file).map(({ specifier, line }) => ({
      from: file.path,
      to: resolveImport(file.path, specifier),
      line,
    })),
  );
  const openers = new Set(
    bare.filter(({ from, to }) => isOpener(from) && isImplementation(to)).map(({ from }) => from),
  );
  return bare.map((edge) => ({ ...edge, isToAdapter: isImplementation(edge.to) || openers.has(edge.to) }));
}

function findForbiddenCode(file: SourceFile): string[] {
  const code = maskNonCode(file.text);
  return codeRules
    .filter((rule) => rule.applies(file.path))
    .flatMap((rule) =>
      [...code.matchAll(rule.pattern)].map(
        (match) => `${file.path}:${lineAt(code, match.index)} ${match[0]}\n    ${rule.text}`,
      ),
    );
}

function findLongFile(file: SourceFile): string[] {
  const lines = file.text.trimEnd().split('\n').length;
  if (lines <= linesMax || hasFreeLength(file.path)) return [];
  return [`${file.path}:${linesMax + 1} has ${lines} lines\n    A file has at most ${linesMax} lines.`];
}

/** Between modules of shared, tests left out. Each cycle is told once, from its first module in the alphabet. */
function findCycles(edges: readonly Edge[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    const isBetweenModules =
      from.startsWith('shared/') && to.startsWith('shared/') && unitOf(from) !== unitOf(to);
    if (!isBetweenModules || isTest(from)) continue;
    next.set(unitOf(from), (next.get(unitOf(from)) ?? new Set()).add(unitOf(to)));
  }
  const cycles = new Set<string>();
  const walk = (path: readonly string[], done: Set<string>): void => {
    const [start = ''] = path;
    const last = path.at(-1) ?? '';
    for (const to of next.get(last) ?? []) {
      if (to === start) cycles.add([...path, start].join(' -> '));
      if (to <= start || done.has(to)) continue;
      done.add(to);
      walk([...path, to], done);
    }
  };
  for (const start of [...next.keys()].sort()) walk([start], new Set());
  return [...cycles].map((cycle) => `${cycle}\n    2. Modules of shared form no cycle.`);
}
