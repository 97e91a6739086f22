import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { type GitSource, parseGitRef, parseGitUrl } from './git-source.ts';
import type { GitSourceDeps } from './git-source-deps.ts';
import type { GitSourceFailure } from './git-source-failure.ts';
import { gitSourceId } from './git-source-id.ts';

export type RegisterGitSourceInput = { readonly url: string; readonly ref: string; readonly actor: Actor };

/** `webhookSecret` is shown to the caller once; at rest it is sealed. */
export type RegisteredGitSource = { readonly source: GitSource; readonly webhookSecret: string };

/** Registers a branch that declares organizations, with the secret its host signs webhooks with. */
export async function registerGitSource(
  deps: GitSourceDeps,
  input: RegisterGitSourceInput,
): Promise<Result<RegisteredGitSource, GitSourceFailure>> {
  const url = parseGitUrl(input.url);
  if (!url.ok) return url;
  const ref = parseGitRef(input.ref);
  if (!ref.ok) return ref;
  const registered = await createGitSource(deps, { url: url.value, ref: ref.value });
  const { source } = registered;
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    if (!(await deps.store.add(tx, source)))
      return fail({ code: 'git_source.already_registered', url: source.url, ref: source.ref });
    await deps.events.record(tx, platformOrganizationId, {
      type: 'uos.git-source.registered.v1',
      subject: source.id,
      actor: input.actor,
      data: { url: source.url, ref: source.ref },
    });
    return ok(registered);
  });
}

async function createGitSource(
  deps: GitSourceDeps,
  declared: Pick<GitSource, 'url' | 'ref'>,
): Promise<RegisteredGitSource> {
  const id = gitSourceId.create(deps);
  const now = deps.clock.now();
  // The host keys its HMAC with this text, so 32 random bytes travel as text.
  const webhookSecret = Buffer.from(deps.random.bytes(32)).toString('base64url');
  const source = {
    ...declared,
    id,
    webhookSecretSealed: await deps.webhookSecrets.seal(webhookSecret, id),
    observedCommit: undefined,
    appliedCommit: undefined,
    conditions: [],
    createdAt: now,
    updatedAt: now,
  };
  return { source, webhookSecret };
}
