import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import type { GitRepository, OrganizationTree } from '../../shared/declarative/index.ts';
import { claimOrganization } from '../../shared/reconcile/claim-organization.ts';
import { reconcileOrganization, reconcileSource } from '../../shared/reconcile/index.ts';
import {
  createReconcileFixture,
  type ReconcileFixture,
  type TestSource,
  toDocument,
  toOrganizationFiles,
} from '../integration/reconcile-fixture.ts';
import { failingPool } from '../support/failing-pool.ts';
import { canServeGit } from '../support/git-server.ts';

const isServed = await canServeGit();
let fixture: ReconcileFixture;
let source: TestSource;

beforeAll(async () => {
  if (!isServed) return;
  fixture = await createReconcileFixture();
  source = await fixture.registerSource('faults');
});
afterAll(() => fixture?.close());

const commit = 'c'.repeat(40);

function toFiles(name: string): Record<string, string> {
  const group = { displayName: 'On call', members: ['user/ada', 'service-account/ci'] };
  return {
    ...toOrganizationFiles(name),
    [`organizations/${name}/groups.yaml`]: toDocument('Group', 'oncall', group),
  };
}

function toTree(name: string, files: Readonly<Record<string, string>>, treeOid: string): OrganizationTree {
  return {
    slug: name,
    treeOid,
    faults: [],
    files: Object.entries(files).map(([path, text]) => ({ path, text })),
  };
}

const input = (tree: OrganizationTree) => ({ sourceId: source.id, commit, tree, knownAs: undefined });

/** Everything there is of an organization, by name. */
async function inventory(name: string) {
  const [claim] = await fixture.query(
    'select org_id, applied_tree_oid from git_source_organization where name = $1',
    [name],
  );
  const id = claim?.['org_id'];
  const tables = [
    'organization',
    'membership',
    'team',
    'team_member',
    'user_group',
    'group_member',
    'role',
    'role_binding',
    'service_account',
  ];
  const rows: Record<string, unknown[]> = {};
  for (const table of [...tables, 'locator', 'audit_event', 'outbox']) {
    rows[table] = await fixture.query(`select t::text as row from ${table} t where org_id = $1 order by 1`, [
      id,
    ]);
  }
  rows['applied'] = await fixture.query(
    `select run_id from reconcile_run where org_id = $1 and status = 'applied' order by 1`,
    [id],
  );
  return { id, treeOid: claim?.['applied_tree_oid'], rows };
}

const isEmpty = ({ rows }: Awaited<ReturnType<typeof inventory>>) =>
  Object.values(rows).every((some) => some.length === 0);

async function countStatements(work: (pool: DatabasePool) => Promise<unknown>): Promise<number> {
  const counting = failingPool(fixture.pool, { atStatement: Number.POSITIVE_INFINITY });
  await work(counting);
  return counting.statements();
}

describe.skipIf(!isServed).each(['request', 'answer'] as const)(
  'a connection that breaks at the %s of a statement',
  (lost) => {
    test('leaves a new organization whole or absent, whichever statement it is, and the next run completes it', async () => {
      const tree = (name: string) => toTree(name, toFiles(name), 't'.repeat(40));
      const first = `counted-${lost}`;
      const statements = await countStatements((pool) =>
        reconcileOrganization(fixture.depsOn(pool), input(tree(first))),
      );
      const whole = await inventory(first);
      const sizes = (rows: Record<string, unknown[]>) =>
        Object.entries(rows).map(([table, some]) => [table, some.length]);
      expect(statements).toBeGreaterThan(60);
      for (let atStatement = 1; atStatement <= statements; atStatement++) {
        const name = `broken-${lost}-${atStatement}`;
        const pool = failingPool(fixture.pool, { atStatement, lost });
        await reconcileOrganization(fixture.depsOn(pool), input(tree(name))).catch(() => undefined);
        expect(pool.hasFailed()).toBe(true);
        const left = await inventory(name);
        expect(isEmpty(left) || JSON.stringify(sizes(left.rows)) === JSON.stringify(sizes(whole.rows))).toBe(
          true,
        );
        const next = await reconcileOrganization(fixture.deps, input(tree(name)));
        expect(next).toMatchObject({ ok: true, value: { outcome: isEmpty(left) ? 'applied' : 'unchanged' } });
        const repaired = await inventory(name);
        expect(sizes(repaired.rows)).toEqual(sizes(whole.rows));
        expect(repaired.treeOid).toBe('t'.repeat(40));
        // The claim gave the id before anything else was there.
        if (left.id !== undefined) expect(repaired.id).toBe(left.id);
      }
    }, 300_000);
  },
);

describe.skipIf(!isServed)('a change of an organization', () => {
  test('happens wholly or not at all, whichever statement of its transaction fails', async () => {
    const name = 'changed';
    const files = toFiles(name);
    await reconcileOrganization(fixture.deps, input(toTree(name, files, '1'.repeat(40))));
    const changed = Object.fromEntries(
      Object.entries(files)
        .filter(([path]) => !path.endsWith('/ci.yaml'))
        .map(([path, text]) => [path, text.replaceAll('"displayName": "', '"displayName": "New ')]),
    );
    const tree = toTree(name, changed, '2'.repeat(40));
    const before = await inventory(name);
    for (let atStatement = 1; ; atStatement++) {
      const pool = failingPool(fixture.pool, { atStatement });
      const result = await reconcileOrganization(fixture.depsOn(pool), input(tree)).catch(() => undefined);
      const after = await inventory(name);
      if (result !== undefined) {
        expect(pool.hasFailed()).toBe(false);
        expect(after.rows['role_binding']).toHaveLength(2);
        break;
      }
      if (JSON.stringify(after.rows) !== JSON.stringify(before.rows)) {
        // Only the step after the commit may fail and leave the change in place.
        expect(after.rows['applied']).toHaveLength(2);
        expect(after.rows['role_binding']).toHaveLength(2);
        expect(after.treeOid).toBe('1'.repeat(40));
      }
    }
  }, 120_000);

  test('that was decided on another state than the one it meets is decided anew', async () => {
    const name = 'raced';
    const files = toFiles(name);
    await reconcileOrganization(fixture.deps, input(toTree(name, files, '1'.repeat(40))));
    const { id } = await inventory(name);
    const { directory } = fixture.deps;
    let raced = false;
    const deps = {
      ...fixture.deps,
      directory: {
        ...directory,
        // Between the stored plan and its application somebody takes the binding away that the plan removes.
        lock: async (...given: Parameters<typeof directory.lock>) => {
          if (!raced)
            await fixture.query(`delete from role_binding where org_id = $1 and name = 'ci-develops'`, [id]);
          raced = true;
          return directory.lock(...given);
        },
      },
    };
    const { [`organizations/${name}/ci.yaml`]: _removed, ...rest } = files;
    expect(await reconcileOrganization(deps, input(toTree(name, rest, '2'.repeat(40))))).toMatchObject({
      value: { outcome: 'unchanged' },
    });
    const runs = await fixture.query(
      'select status from reconcile_run where org_id = $1 order by planned_at',
      [id],
    );
    expect(runs).toEqual([{ status: 'applied' }, { status: 'planned' }]);
  });
});

test.skipIf(!isServed)('whoever else changes the organization waits until the plan is applied', async () => {
  const name = 'locked';
  const files = toFiles(name);
  await reconcileOrganization(fixture.deps, input(toTree(name, files, '1'.repeat(40))));
  const { id } = await inventory(name);
  const { directory, events, pool } = fixture.deps;
  const order: string[] = [];
  let other: Promise<unknown> | undefined;
  const deps = {
    ...fixture.deps,
    directory: {
      ...directory,
      load: async (...given: Parameters<typeof directory.load>) => {
        const loaded = await directory.load(...given);
        // The first load is the plan's; the second happens under the lock.
        if (order.push('loaded') === 2) other = changeByApi();
        return loaded;
      },
      write: async (...given: Parameters<typeof directory.write>) => {
        await otherWaitsOrIsDone();
        order.push('written');
        return directory.write(...given);
      },
    },
  };
  const otherWaitsOrIsDone = async () => {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const waiting = await fixture.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0 || order.includes('other')) return;
      expect(performance.now()).toBeLessThan(deadline);
    }
  };
  const changeByApi = () =>
    withOrg(pool, String(id), (tx) =>
      events.record(tx, String(id), {
        type: 'uos.role.removed.v1',
        subject: 'role_x',
        actor: { type: 'system', id: 'test' },
        data: { name: 'x' },
      }),
    ).then(() => order.push('other'));
  const { [`organizations/${name}/ci.yaml`]: _removed, ...rest } = files;
  await reconcileOrganization(deps, input(toTree(name, rest, '2'.repeat(40))));
  await other;
  expect(order).toEqual(['loaded', 'loaded', 'written', 'other']);
  const trail = await fixture.query(
    `select type from audit_event where org_id = $1 order by (select min(sequence) from outbox o where o.event_id = audit_event.event_id)`,
    [id],
  );
  expect(trail.slice(-3).map(({ type }) => type)).toEqual([
    'uos.role-binding.removed.v1',
    'uos.reconcile.applied.v1',
    'uos.role.removed.v1',
  ]);
});

describe.skipIf(!isServed)('runs at the same time', () => {
  test('converge on one organization, one application and one id', async () => {
    const tree = toTree('crowded', toFiles('crowded'), '1'.repeat(40));
    const results = await Promise.all(
      Array.from({ length: 4 }, () => reconcileOrganization(fixture.deps, input(tree))),
    );
    expect(results.map((result) => result.ok && result.value.outcome).toSorted()).toEqual([
      'applied',
      'unchanged',
      'unchanged',
      'unchanged',
    ]);
    const { rows } = await inventory('crowded');
    expect(rows['organization']).toHaveLength(1);
    expect(rows['applied']).toHaveLength(1);
    expect(rows['membership']).toHaveLength(2);
  });

  // Many names, since only inserts that meet within microseconds met a unique index that nobody had thought of.
  test('claim one id for each name', async () => {
    const source = await fixture.registerSource('claimant');
    const claimAll = (n: number) =>
      Promise.all(
        Array.from({ length: 4 }, () =>
          claimOrganization(fixture.deps, { sourceId: source.id, name: `claimed-${n}` }),
        ),
      );
    for (let n = 0; n < 100; n++) {
      const ids = (await claimAll(n)).map((claim) => claim.ok && claim.value);
      expect(new Set(ids).size).toBe(1);
    }
  });

  test('of one source: one works, the other is told to come back', async () => {
    const twice = await fixture.registerSource('twice');
    await twice.push(toFiles('twice'));
    const results = await Promise.all([fixture.reconcile(twice), fixture.reconcile(twice)]);
    const codes = results.map((result) => (result.ok ? result.value.outcome : result.failure.code));
    expect(['finished', 'settled']).toEqual(
      expect.arrayContaining(codes.filter((code) => code !== 'reconcile.busy')),
    );
    expect(codes).toContain('finished');
    expect(await fixture.reconcile(twice)).toMatchObject({ value: { outcome: 'settled' } });
  });

  test('of two sources that declare one name: one has it, the other is refused', async () => {
    const rivals = [await fixture.registerSource('rival-a'), await fixture.registerSource('rival-b')];
    await Promise.all(rivals.map((rival) => rival.push(toFiles('wanted'))));
    const results = await Promise.all(rivals.map((rival) => fixture.reconcile(rival)));
    const refused = results.flatMap((result) =>
      result.ok && result.value.outcome === 'finished'
        ? result.value.refused.map(({ refusal }) => refusal.code)
        : [],
    );
    expect(refused).toEqual(['organization.claimed_by_other_source']);
    expect(await fixture.query(`select 1 from organization where name = 'wanted'`)).toHaveLength(1);
  });
});

describe.skipIf(!isServed)('a run of a source', () => {
  test('that dies again and again, each time later, is completed by the next one', async () => {
    const doomed = await fixture.registerSource('doomed');
    const pushed = await doomed.push({
      ...toFiles('doomed-a'),
      ...toFiles('doomed-b'),
    });
    const repository = remember(fixture.deps.repository);
    const run = (pool: DatabasePool) =>
      reconcileSource({ ...fixture.depsOn(pool), repository }, { sourceId: doomed.id, trigger: 'poll' });
    for (let atStatement = 1; ; atStatement += 7) {
      const pool = failingPool(fixture.pool, { atStatement });
      const result = await run(pool).catch(() => undefined);
      // A killed process gives nothing back; time would.
      await fixture.query(`update lease set expires_at = now() where name = $1`, [`reconcile:${doomed.id}`]);
      if (result?.ok && result.value.outcome === 'finished' && !pool.hasFailed()) break;
      if (result?.ok && result.value.outcome === 'settled') break;
    }
    await run(fixture.pool);
    expect(await run(fixture.pool)).toMatchObject({ value: { outcome: 'settled' } });
    const [row] = await fixture.query('select applied_commit from git_source where source_id = $1', [
      doomed.id,
    ]);
    expect(row).toEqual({ applied_commit: pushed });
    for (const name of ['doomed-a', 'doomed-b']) {
      const { rows } = await inventory(name);
      expect(rows['applied']).toHaveLength(1);
      expect(rows['role_binding']).toHaveLength(3);
    }
  }, 120_000);

  test('does every other organization when one cannot be written, and says which was left', async () => {
    const mixed = await fixture.registerSource('mixed');
    await mixed.push({
      ...toFiles('mixed-a'),
      ...toFiles('mixed-b'),
      ...toFiles('mixed-c'),
    });
    const { directory } = fixture.deps;
    const deps = {
      ...fixture.deps,
      directory: {
        ...directory,
        write: async (...given: Parameters<typeof directory.write>) => {
          const { entity } = given[1].change;
          if (entity.name === 'mixed-b') throw new Error('this one is poisoned');
          return directory.write(...given);
        },
      },
    };
    expect(await reconcileSource(deps, { sourceId: mixed.id, trigger: 'push' })).toMatchObject({
      failure: { code: 'reconcile.incomplete', organizations: ['mixed-b'] },
    });
    expect(
      await fixture.query(`select name from organization where name like 'mixed-%' order by name`),
    ).toEqual([{ name: 'mixed-a' }, { name: 'mixed-c' }]);
    expect(await fixture.reconcile(mixed, 'poll')).toMatchObject({
      value: { applied: ['mixed-b'], unchanged: 2 },
    });
  });
});

/** Git is asked once: these runs are about the database. */
function remember(repository: GitRepository): GitRepository {
  let resolved: ReturnType<GitRepository['resolveRef']> | undefined;
  return {
    resolveRef: (asked) => {
      resolved ??= repository.resolveRef(asked);
      return resolved;
    },
    readTree: repository.readTree,
  };
}
