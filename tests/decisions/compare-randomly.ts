import { expect } from 'vitest';
import {
  cacheSubjectFacts,
  evaluateAccess,
  type SubjectFactsSource,
} from '../../shared/authorization/index.ts';
import { createEpochs } from '../../shared/authorization-feed/index.ts';
import { openEngine } from './decision-case.ts';
import { decideByModel } from './model.ts';
import {
  change,
  createOrganization,
  createPick,
  createQuestion,
  oneOf,
  toFacts,
  toModelInput,
  worldNow,
} from './random-world.ts';
import { readRoleTable } from './role-table.ts';

const clock = { now: () => new Date(worldNow * 1000) };
const engine = await openEngine();
const roles = readRoleTable();

/** Several organizations whose accounts, teams and keys have the same ids: only the tenant tells them apart. */
function createWorld(seed: number) {
  const pick = createPick(seed);
  const organizations = ['org_1', 'org_2', 'org_3'].map((id) => createOrganization(pick, id, (name) => name));
  const epochs = createEpochs();
  const state = { isLive: true, reads: 0 };
  const source: SubjectFactsSource = {
    find: async (organizationId, subject, demand) => {
      const organization = organizations.find(({ id }) => id === organizationId);
      if (organization === undefined) throw new Error('no such organization');
      state.reads++;
      // As of the moment of the question, told a moment later.
      const facts = toFacts(organization, subject, demand);
      await Promise.resolve();
      return facts;
    },
  };
  const feed = { epochOf: epochs.of, isLive: () => state.isLive };
  const changeOne = () => {
    const organization = oneOf(pick, organizations);
    const part = change(pick, organization);
    epochs.advance(part === 'subjects' ? organization.id : `${organization.id}/resources`);
  };
  return {
    pick,
    organizations,
    state,
    source,
    cached: cacheSubjectFacts({ source, feed, clock }),
    changeOne,
  };
}

/** Asks as many random questions while everything changes; throws at the first on which two of the three differ. */
export async function compareRandomly({ cases, seed }: { cases: number; seed: number }): Promise<void> {
  const world = createWorld(seed);
  const { pick } = world;
  const seen = new Map<string, number>();
  for (let place = 0; place < cases; place++) {
    const organization = oneOf(pick, world.organizations);
    const question = { organizationId: organization.id, request: createQuestion(pick, organization) };
    const ask = (facts: SubjectFactsSource) => evaluateAccess({ facts, engine, clock }, question);
    world.state.isLive = pick(20) !== 0;
    if (pick(10) === 0) {
      // A fill that races with a change may answer either way; what it leaves behind may not.
      const racing = ask(world.cached);
      world.changeOne();
      await racing;
    }
    const [on, off] = [await ask(world.cached), await ask(world.source)];
    const { subject, resource } = question.request;
    const model = decideByModel(
      toModelInput(toFacts(organization, subject, { resource }), question.request),
      roles,
    );
    const { dataRevision: _on, ...cached } = on;
    const { dataRevision: _off, ...uncached } = off;
    const { decision, code, binding } = off;
    // As text: a hundred thousand deep comparisons take longer than the decisions.
    const isSame =
      JSON.stringify(cached) === JSON.stringify(uncached) &&
      JSON.stringify(model) === JSON.stringify({ decision, code, binding });
    if (!isSame) expect.fail(`seed ${seed}, case ${place}: ${JSON.stringify({ cached, uncached, model })}`);
    for (const name of [off.code, off.rule ?? '']) seen.set(name, (seen.get(name) ?? 0) + 1);
  }
  // A run that never meets a rule proves nothing about it.
  for (const code of [
    'permitted',
    'forbidden',
    'not_permitted',
    'step_up_required',
    'subject_disabled',
    'organization_suspended',
    'unknown_subject',
    'outside_credential_scope',
  ])
    expect(seen.get(code) ?? 0, code).toBeGreaterThan(cases / 200);
  // One read a case is the uncached answer's; and a cache that is never used proves nothing either.
  expect(world.state.reads - cases).toBeLessThan(cases * 0.7);
}
