import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Git as if nobody had ever configured it: the user's aliases, hooks, signing and proxies have no say here. */
export const gitEnvironment = {
  PATH: process.env['PATH'] ?? '',
  HOME: tmpdir(),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Local Author',
  GIT_AUTHOR_EMAIL: 'author@example.org',
  GIT_COMMITTER_NAME: 'Local Author',
  GIT_COMMITTER_EMAIL: 'author@example.org',
};

export async function git(directory: string, ...args: string[]): Promise<string> {
  // safe.directory: a checkout may belong to another user than the one who runs the platform (containers).
  const { stdout } = await run('git', ['-c', 'safe.directory=*', ...args], {
    cwd: directory,
    env: gitEnvironment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim();
}

/** A bare repository `<name>.git` with branch `main`, which the server lets everybody read and push to. */
export async function createGitRepository(input: { directory: string; name: string }): Promise<void> {
  const path = join(input.directory, `${input.name}.git`);
  await mkdir(path, { recursive: true });
  await git(path, 'init', '--quiet', '--bare', '--initial-branch=main');
  await git(path, 'config', 'http.receivepack', 'true');
}

export type GitChange = { readonly [path: string]: string | null };

/**
 * Commits on top of `main` and pushes, over HTTP like anyone else; null removes a file. Answers the commit id.
 */
export async function pushCommit(input: { url: string; files: GitChange; message: string }): Promise<string> {
  const clone = await mkdtemp(join(tmpdir(), 'uos-clone-'));
  try {
    await git(clone, 'clone', '--quiet', input.url, '.');
    await git(clone, 'checkout', '--quiet', '-B', 'main');
    for (const [path, text] of Object.entries(input.files)) await writeChange(join(clone, path), text);
    await git(clone, 'add', '--all');
    await git(clone, 'commit', '--quiet', '--allow-empty', '--message', input.message);
    await git(clone, 'push', '--quiet', 'origin', 'main');
    return await git(clone, 'rev-parse', 'HEAD');
  } finally {
    await rm(clone, { recursive: true, force: true });
  }
}

async function writeChange(path: string, text: string | null): Promise<void> {
  if (text === null) return rm(path, { force: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
