import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasGitHttpBackend, startGitServer } from '../../knative/local/git-server.ts';
import { createGitRepository, type GitChange, git, pushCommit } from '../../knative/local/git-workspace.ts';

/** Whether tests against a real Git server can run here. Says why not; in CI that is a failure instead. */
export async function canServeGit(): Promise<boolean> {
  if (await hasGitHttpBackend()) return true;
  const reason = 'git with its http-backend is not installed (Debian: apt-get install git)';
  if (process.env['CI'] === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

export type TestGit = {
  /** Creates the repository and answers its URL. */
  createRepository(name: string): Promise<string>;
  push(url: string, files: GitChange): Promise<string>;
  /** Commits tree entries of any mode (120000 symbolic link, 160000 submodule), which no work tree is needed for. */
  pushEntries(url: string, entries: readonly TreeEntry[]): Promise<string>;
  close(): Promise<void>;
};

export type TreeEntry = { readonly mode: string; readonly path: string; readonly content: Buffer | string };

export async function startTestGit(options: { authorization?: string } = {}): Promise<TestGit> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-git-'));
  const server = await startGitServer({ directory, ...options });
  return {
    createRepository: async (name) => {
      await createGitRepository({ directory, name });
      return `${server.url}/${name}.git`;
    },
    push: (url, files) => pushCommit({ url, files, message: 'Change the declaration' }),
    pushEntries: (url, entries) => pushEntries(join(directory, new URL(url).pathname), entries),
    close: async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function pushEntries(repository: string, entries: readonly TreeEntry[]): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'uos-blob-'));
  try {
    for (const { mode, path, content } of entries) {
      const oid = mode === '160000' ? String(content) : await writeBlob(repository, scratch, content);
      await git(repository, 'update-index', '--add', '--cacheinfo', `${mode},${oid},${path}`);
    }
    const tree = await git(repository, 'write-tree');
    const commit = await git(repository, 'commit-tree', tree, '-m', 'Commit any entry');
    await git(repository, 'update-ref', 'refs/heads/main', commit);
    return commit;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeBlob(repository: string, scratch: string, content: Buffer | string): Promise<string> {
  const file = join(scratch, 'blob');
  await writeFile(file, content);
  return git(repository, 'hash-object', '-w', file);
}
