import { spawnSync } from 'node:child_process';

export type DebianPackage = { name: string; program: string };

/**
 * Installs what a test needs and the machine lacks, where apt and root allow it. Elsewhere the tests that need it are
 * skipped, by name.
 */
export function ensureDebianPackages(packages: readonly DebianPackage[]): void {
  const missing = packages.filter(({ program }) => !isOnPath(program)).map(({ name }) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    process.stderr.write(`Not installed: ${missing.join(', ')}. Tests that need them are skipped.\n`);
    return;
  }
  process.stderr.write(`Installing ${missing.join(', ')} ...\n`);
  const options = { stdio: ['ignore', 'ignore', 'inherit'] as const, env: aptEnvironment() };
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  for (const args of [['update', '--quiet'], install])
    spawnSync('apt-get', args, { ...options, stdio: [...options.stdio] });
}

function aptEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
}

function isOnPath(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' }).status === 0;
}
