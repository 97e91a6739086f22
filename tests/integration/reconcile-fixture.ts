import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabasePool } from '../../shared/db/index.ts';
import { createIsomorphicGitRepository } from '../../shared/declarative/git-repository.isomorphic.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { postgresGitSourceStore } from '../../shared/git-source/git-source-store.postgres.ts';
import { type GitSourceId, registerGitSource } from '../../shared/git-source/index.ts';
import { systemClock as clock, invariant, systemRandom as random } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresSubjectKeyStore } from '../../shared/personal-data/subject-key-store.postgres.ts';
import { postgresDirectoryStore } from '../../shared/reconcile/directory-store.postgres.ts';
import { type ReconcileDeps, reconcileSource } from '../../shared/reconcile/index.ts';
import { postgresReconcileRunStore } from '../../shared/reconcile/reconcile-run-store.postgres.ts';
import { postgresSourceStatusStore } from '../../shared/reconcile/source-status-store.postgres.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { startTestGit } from '../support/git-server.ts';
import { createTestDatabase, openTestPool } from '../support/postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';

export type TestSource = {
  readonly id: GitSourceId;
  readonly url: string;
  readonly webhookSecret: string;
  /** Commits on `main` and answers the commit; null removes a file. */
  push(files: Readonly<Record<string, string | null>>): Promise<string>;
};

export type ReconcileFixture = Awaited<ReturnType<typeof createReconcileFixture>>;

/** Reconciliation over a database and a Git server of its own; the platform's organization is there. */
export async function createReconcileFixture() {
  const database = await createTestDatabase();
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test-reconcile' });
  const git = await startTestGit();
  const directory = await mkdtemp(join(tmpdir(), 'uos-reconcile-'));
  const wrappingKeyFile = join(directory, 'wrapping.key');
  await writeFile(wrappingKeyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  const wrapper = await openFileKeyWrapper({ random }, wrappingKeyFile);
  const keyRing = { pool, store: postgresDataKeyStore, wrapper, clock, random };
  const webhookSecrets = await openKeyRing(keyRing, 'git-source');
  const personalData = {
    store: postgresSubjectKeyStore,
    ring: await openKeyRing(keyRing, 'personal-data'),
  };
  const superuser = new pg.Pool({ connectionString: database.superuserUrl, max: 2 });
  superuser.on('error', () => undefined);
  const platform = await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  const events = postgresEventRecorder({ clock, random, source: 'uos/reconcile' });
  const repository = createIsomorphicGitRepository({ cacheDirectory: join(directory, 'git') });
  const depsOn = (over: DatabasePool): ReconcileDeps => ({
    pool: over,
    sources: postgresGitSourceStore,
    statuses: postgresSourceStatusStore,
    runs: postgresReconcileRunStore,
    directory: postgresDirectoryStore,
    repository,
    events,
    personalData,
    clock,
    random,
  });
  const deps = depsOn(pool);
  return {
    database,
    pool,
    git,
    deps,
    depsOn,
    platform,
    webhookSecrets,
    wrappingKeyFile,
    registerSource: async (name: string): Promise<TestSource> => {
      const url = await git.createRepository(name);
      const registered = await registerGitSource(
        { pool, store: postgresGitSourceStore, events, webhookSecrets, clock, random },
        { url, ref: 'main', actor: { type: 'system', id: 'test' } },
      );
      invariant(registered.ok, `the source "${name}" was not registered`);
      const { source, webhookSecret } = registered.value;
      return { id: source.id, url, webhookSecret, push: (files) => git.push(url, files) };
    },
    reconcile: (source: TestSource, trigger: 'push' | 'poll' | 'force' = 'push') =>
      reconcileSource(deps, { sourceId: source.id, trigger }),
    /** Above row-level security. */
    query: async (text: string, values: readonly unknown[] = []) =>
      (await superuser.query(text, [...values])).rows as Record<string, unknown>[],
    close: async () => {
      await pool.close();
      await superuser.end();
      await git.close();
      await rm(directory, { recursive: true, force: true });
      await database.drop();
    },
  };
}

export function toDocument(kind: string, name: string, spec: object): string {
  const document = { apiVersion: 'directory.uos.dev/v1', kind, metadata: { name }, spec };
  // JSON is YAML.
  return `---\n${JSON.stringify(document, null, 2)}\n`;
}

/** An organization with a person, a team, a service account, a role and a binding of each kind. */
export function toOrganizationFiles(name: string, guards: object = {}): Record<string, string> {
  const folder = `organizations/${name}`;
  return {
    [`${folder}/organization.yaml`]: toDocument('Organization', name, {
      displayName: `The ${name} company`,
      ...(Object.keys(guards).length === 0 ? {} : { guards }),
    }),
    [`${folder}/people.yaml`]: [
      toDocument('User', 'ada', { email: 'Ada@Example.org', displayName: 'Ada' }),
      toDocument('User', 'grace', { email: 'grace@example.org', displayName: 'Grace' }),
    ].join(''),
    [`${folder}/teams.yaml`]: [
      toDocument('Team', 'engineering', { displayName: 'Engineering', members: ['user/grace'] }),
      toDocument('Team', 'core', {
        displayName: 'Core',
        parent: 'engineering',
        members: ['user/ada', 'service-account/ci'],
      }),
    ].join(''),
    [`${folder}/machines.yaml`]: toDocument('ServiceAccount', 'ci', {
      displayName: 'CI',
      ownerTeam: 'engineering',
    }),
    [`${folder}/roles.yaml`]: toDocument('Role', 'reader', {
      description: 'Reads',
      permissions: ['report:read'],
    }),
    [`${folder}/bindings.yaml`]: [
      toDocument('RoleBinding', 'owners', { role: 'OrgOwner', subject: 'user/ada' }),
      toDocument('RoleBinding', 'readers', {
        role: 'reader',
        subject: 'team/core',
        scope: { team: 'engineering' },
        expiresAt: '2031-01-31T00:00:00+02:00',
        conditions: [{ mfa: { max_age_seconds: 900 } }, { network: { cidrs: ['10.0.0.0/8'] } }],
      }),
    ].join(''),
    [`${folder}/ci.yaml`]: toDocument('RoleBinding', 'ci-develops', {
      role: 'Developer',
      subject: 'service-account/ci',
    }),
  };
}
