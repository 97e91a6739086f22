import { type ApiKeyId, apiKeyId, fingerprintOf } from '../api-key/index.ts';
import type { OrgTransaction } from '../db/index.ts';
import {
  type Change,
  type DeclaredOrganization,
  type Plan,
  planOrganization,
  toEntityKey,
} from '../declarative/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { holdSubjectKeys, type SubjectKeys } from '../personal-data/index.ts';
import { createDirectoryId, requireOwnId } from './directory-id.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReconcileRun } from './reconcile-run-store.ts';
import { toChangeEvent } from './to-change-event.ts';

export type ApplyDeps = Pick<
  ReconcileDeps,
  'directory' | 'runs' | 'events' | 'personalData' | 'clock' | 'random'
>;
export type PlanStale = { readonly code: 'plan.stale' };

type Applying = {
  readonly tx: OrgTransaction;
  readonly run: ReconcileRun;
  readonly ids: ReadonlyMap<string, string>;
  readonly subjectKeys: SubjectKeys;
  readonly actor: Actor;
  readonly at: Date;
};

/**
 * Makes exactly the changes of a stored plan, with an event each, in the transaction given. With the organization
 * locked it plans once more: unless that gives the very same plan, nothing is written.
 */
export async function applyPlan(
  deps: ApplyDeps,
  tx: OrgTransaction,
  input: { run: ReconcileRun; plan: Plan; declared: DeclaredOrganization },
): Promise<Result<undefined, PlanStale>> {
  const { run, plan, declared } = input;
  const { organizationId, name, commit } = run;
  await deps.directory.lock(tx, organizationId);
  const { state, ids: known } = await deps.directory.load(tx, { organizationId, name });
  const again = planOrganization({ current: state, declared, commit });
  if (!again.ok || again.value.hash !== plan.hash) return fail({ code: 'plan.stale' });
  const ids = new Map([...known, [`organization/${name}`, organizationId], ...createIds(deps, plan)]);
  const applying: Applying = {
    tx,
    run,
    ids,
    subjectKeys: await holdSubjectKeys({ ...deps, ...deps.personalData }, tx, {
      organizationId,
      subjects: listPeople(plan, ids),
    }),
    actor: { type: 'git_source', id: run.sourceId },
    at: deps.clock.now(),
  };
  for (const change of plan.changes) await applyChange(deps, applying, change);
  await finish(deps, applying, plan);
  return ok(undefined);
}

/** Ids of what the plan creates, by entity key; known before the first change, so that all keys are got at once. */
function createIds(deps: ApplyDeps, plan: Plan): [string, string][] {
  return plan.changes.flatMap(({ entity, operation }): [string, string][] => {
    const id = operation === 'create' ? createDirectoryId(deps, entity.kind) : undefined;
    return id === undefined ? [] : [[toEntityKey(entity), id]];
  });
}

function listPeople(plan: Plan, ids: ReadonlyMap<string, string>): string[] {
  return plan.changes.flatMap(({ entity }) => (entity.kind === 'user' ? [requireOwnId(ids, entity)] : []));
}

async function applyChange(deps: ApplyDeps, applying: Applying, change: Change): Promise<void> {
  const { tx, run, ids, subjectKeys, at, actor } = applying;
  const { organizationId } = run;
  const { entity, operation } = change;
  if (operation === 'delete' && entity.kind === 'service-account')
    await revokeKeys(deps, applying, { type: 'service_account', id: requireOwnId(ids, entity) });
  if (operation === 'delete' && entity.kind === 'user')
    await revokeKeys(deps, applying, { type: 'user', id: requireOwnId(ids, entity) });
  await deps.directory.write(tx, { organizationId, change, ids, at, by: actor.id });
  await deps.events.record(
    tx,
    organizationId,
    toChangeEvent({ organizationId, ids, actor, subjectKeys }, change),
  );
}

/** The keys of who is removed would be refused anyway; revoking says so in the trail and to every cache. */
async function revokeKeys(
  deps: ApplyDeps,
  { tx, run, actor, at }: Applying,
  owner: { readonly type: 'service_account' | 'user'; readonly id: string },
): Promise<void> {
  const revoked = await deps.directory.revokeKeys(tx, { owner, by: actor.id, at });
  const ownerData = owner.type === 'user' ? { userId: owner.id } : { serviceAccountId: owner.id };
  for (const key of revoked) {
    const id: ApiKeyId = apiKeyId.require(key.id);
    await deps.events.record(tx, run.organizationId, {
      type: 'uos.api-key.revoked.v1',
      subject: id,
      actor,
      data: { fingerprint: fingerprintOf(id, key.lastFour), ...ownerData, reason: 'owner_removed' },
    });
  }
}

async function finish(deps: ApplyDeps, { tx, run, actor, at }: Applying, plan: Plan): Promise<void> {
  const { creates, updates, deletes } = plan.summary;
  await deps.events.record(tx, run.organizationId, {
    type: 'uos.reconcile.applied.v1',
    subject: run.organizationId,
    actor,
    data: {
      runId: run.id,
      sourceId: run.sourceId,
      commit: run.commit,
      planHash: plan.hash,
      created: creates,
      updated: updates,
      removed: deletes,
    },
  });
  await deps.runs.markApplied(tx, run.id, at);
}
