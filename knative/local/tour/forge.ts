import { createHmac, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { startGitServer } from '../git-server.ts';
import { createGitRepository, type GitChange, pushCommit } from '../git-workspace.ts';
import { expectStatus } from './client.ts';

/** A forge as the platform sees one: a Git server, and signed webhooks after each push. */
export type Forge = {
  readonly repositoryUrl: string;
  /** Answers the commit id, once the webhook was acknowledged. */
  push(input: { files: GitChange; message: string; webhookUrl: string; secret: string }): Promise<string>;
  close(): Promise<void>;
};

export async function startForge(directory: string): Promise<Forge> {
  await mkdir(directory, { recursive: true });
  await createGitRepository({ directory, name: 'directory' });
  const server = await startGitServer({ directory });
  const repositoryUrl = `${server.url}/directory.git`;
  return {
    repositoryUrl,
    push: async ({ files, message, webhookUrl, secret }) => {
      const commit = await pushCommit({ url: repositoryUrl, files, message });
      const body = JSON.stringify({
        ref: 'refs/heads/main',
        after: commit,
        repository: { full_name: 'acme/directory' },
      });
      await expectStatus(202, {
        url: webhookUrl,
        method: 'POST',
        body,
        headers: {
          'x-github-event': 'push',
          'x-github-delivery': randomUUID(),
          'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
        },
      });
      return commit;
    },
    close: () => server.close(),
  };
}
