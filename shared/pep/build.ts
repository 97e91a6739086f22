import { execFile } from 'node:child_process';
import { copyFile, glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { invariant } from '../kernel/index.ts';
import { exportedNames, flattenDeclarations } from './flatten-declarations.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');

/** Writes the package others install, `dist/pep`: one module, its types, a manifest, the README. */
export async function buildPep(outdir = join(root, 'dist', 'pep')): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  await Promise.all([
    bundle(join(outdir, 'index.mjs')),
    readDeclarations().then((text) => writeFile(join(outdir, 'index.d.ts'), text)),
    readManifest().then((text) => writeFile(join(outdir, 'package.json'), text)),
    copyFile(join(here, 'README.md'), join(outdir, 'README.md')),
  ]);
}

async function bundle(outfile: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: [join(here, 'index.ts')],
    outfile,
    bundle: true,
    // No module of Node's: the file also runs where there is only fetch.
    platform: 'neutral',
    target: 'node20',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    external: ['node:*'],
    plugins: [withoutSideEffects],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  invariant(imported.length === 0, `the bundle must stand alone, but imports ${imported.join(', ')}`);
}

/** Our modules do nothing when they are loaded, so what is not used of them falls away. */
const withoutSideEffects: Plugin = {
  name: 'without-side-effects',
  setup: ({ onResolve, resolve }) => {
    onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === withoutSideEffects.name) return undefined;
      const found = await resolve(path, { ...from, pluginData: withoutSideEffects.name });
      return { ...found, sideEffects: false };
    });
  },
};

async function readDeclarations(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-pep-'));
  try {
    await emitDeclarations(directory);
    const files: string[] = [];
    for await (const path of glob('**/*.d.ts', { cwd: directory })) {
      files.push(await readFile(join(directory, path), 'utf8'));
    }
    return flattenDeclarations(files, exportedNames(await readFile(join(here, 'index.ts'), 'utf8')));
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function emitDeclarations(outDir: string): Promise<void> {
  const compilerOptions = {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    incremental: false,
    tsBuildInfoFile: null,
    rootDir: join(root, 'shared'),
    typeRoots: [join(root, 'node_modules', '@types')],
    outDir,
  };
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    files: [join(here, 'index.ts')],
    include: [],
  };
  const configFile = join(outDir, 'tsconfig.json');
  await writeFile(configFile, JSON.stringify(config));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, '--project', configFile], { cwd: root });
}

async function readManifest(): Promise<string> {
  const { name, version, license }: Record<string, unknown> = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const manifest = {
    name: `${name}-pep`,
    version,
    description: 'Policy enforcement point: asks the decision point and keeps everything but an allow out.',
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: { '.': { types: './index.d.ts', default: './index.mjs' } },
    types: './index.d.ts',
    files: ['index.mjs', 'index.d.ts', 'README.md'],
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
