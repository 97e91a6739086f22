import { glob, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = import.meta.dirname;

/**
 * Bundles every function into `<name>/index.mjs`, which needs nothing but Node, its `*-worker.mjs`
 * if any, and (admin, authorize, token) `policies/bundle` below its working directory.
 */
export async function buildFunctions(outdir = join(root, 'dist')): Promise<string[]> {
  const folders = await readdir(join(root, 'functions'), { withFileTypes: true });
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const entries = names.map((name) => `${name}/index`);
  for await (const path of glob('*/*-worker.ts', { cwd: join(root, 'functions') })) {
    entries.push(path.replaceAll('\\', '/').replace(/\.ts$/, ''));
  }
  await build({
    entryPoints: entries.map((out) => ({ in: join(root, 'functions', `${out}.ts`), out })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: 'linked',
    minifySyntax: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
    external: ['pg-native'],
    // Dependencies written for CommonJS call require at run time, which an ES module does not have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return names;
}

if (import.meta.main) {
  const { buildPolicyBundle } = await import('./policies/build.ts');
  await buildPolicyBundle();
  console.log('Built the policy bundle');
  const names = await buildFunctions();
  console.log(`Built ${names.length} functions: ${names.join(', ')}`);
  const { buildPep } = await import('./shared/pep/build.ts');
  await buildPep();
  console.log('Built the enforcement point for services: dist/pep');
}
