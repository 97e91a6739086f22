import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { toolCache } from './tool-cache.ts';

const run = promisify(execFile);
const buildTimeoutMs = 600_000;

export type GoTool = {
  /** File name of the binary, for example `opa`. */
  name: string;
  /** Without the leading `v`: `1.22.2`. */
  version: string;
  /** Package path as `go install` takes it, without the version. */
  module: string;
  /**
   * Arguments that make the tool print its version. Only with these is a copy on PATH considered: Debian's own
   * `fsck`, say, must never be started by a test.
   */
  versionArguments?: readonly string[];
};

/**
 * Path of a pinned Go tool: from PATH when its version is the pinned one, else from the cache
 * (`$XDG_CACHE_HOME/uos-tools/<name>@<version>`), else installed there with `go install`.
 * Undefined, with the reason on stderr, when it cannot be had; the caller then skips. In CI that throws instead.
 */
export async function goTool(tool: GoTool): Promise<string | undefined> {
  if (tool.versionArguments !== undefined && (await isPinnedOnPath(tool, tool.versionArguments))) {
    return tool.name;
  }
  return cached(`${tool.name}@${tool.version}`, tool.name, async (directory) => {
    await run('go', ['install', `${tool.module}@v${tool.version}`], {
      env: { ...process.env, GOBIN: directory },
      timeout: buildTimeoutMs,
    });
  });
}

/**
 * Path of a Go program of ours, built from `directory` (main package, go.mod, go.sum) into the same cache under
 * a digest of its sources. Undefined and CI as for `goTool`.
 */
export async function goProgram(program: {
  name: string;
  directory: string;
  /** Another module's main package, which `directory` only pins: for tools whose go.mod forbids `go install`. */
  package?: string;
}): Promise<string | undefined> {
  const digest = createHash('sha256');
  for (const file of (await readdir(program.directory)).sort()) {
    digest.update(`${file}\n`).update(await readFile(join(program.directory, file)));
  }
  const entry = `${program.name}@${digest.digest('hex').slice(0, 16)}`;
  return cached(entry, program.name, async (directory) => {
    await run('go', ['build', '-trimpath', '-o', join(directory, program.name), program.package ?? '.'], {
      cwd: program.directory,
      timeout: buildTimeoutMs,
    });
  });
}

async function isPinnedOnPath(tool: GoTool, versionArguments: readonly string[]): Promise<boolean> {
  try {
    const { stdout, stderr } = await run(tool.name, [...versionArguments], { timeout: 10_000 });
    return `${stdout}\n${stderr}`.split(/[\s,]+/).some((word) => word.replace(/^v/, '') === tool.version);
  } catch {
    return false;
  }
}

async function cached(
  entry: string,
  binary: string,
  build: (directory: string) => Promise<void>,
): Promise<string | undefined> {
  const target = join(toolCache(), entry);
  const path = join(target, binary);
  if (await exists(path)) return path;
  try {
    await run('go', ['version'], { timeout: 10_000 });
    await mkdir(dirname(target), { recursive: true });
    await underLock(`${target}.lock`, async () => {
      if (!(await exists(path))) await buildInto(target, build);
    });
    return path;
  } catch (error) {
    if (process.env['CI'])
      throw new Error(`${entry} could not be built with the Go toolchain`, { cause: error });
    process.stderr.write(`${entry} is not available: ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

/** Built beside the target and renamed, so that a half-written binary is never found. */
async function buildInto(target: string, build: (directory: string) => Promise<void>): Promise<void> {
  process.stderr.write(`building ${target} (once; it stays in the cache)\n`);
  const scratch = await mkdtemp(`${target}.building-`);
  try {
    await build(scratch);
    await rm(target, { recursive: true, force: true });
    await rename(scratch, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The lock is a symbolic link whose target is the holder's process id: made and labelled in one atomic step. A
 * lock of a dead process is taken over; should two waiters do so at once, both build, and the rename keeps that
 * harmless.
 */
async function underLock(lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = AbortSignal.timeout(2 * buildTimeoutMs);
  while (!(await taken(lock))) {
    deadline.throwIfAborted();
    if (await isHolderDead(lock)) await rm(lock, { force: true });
    else await pause(250);
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await symlink(String(process.pid), lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isHolderDead(lock: string): Promise<boolean> {
  try {
    process.kill(Number(await readlink(lock)), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
