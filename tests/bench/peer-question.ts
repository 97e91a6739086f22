import { toPolicyInput } from '../../shared/authorization/evaluate-access.ts';
import { parseEvaluationRequest } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { invariant, systemClock, toNumericDate } from '../../shared/kernel/index.ts';
import { toCall, toRequest } from './authorize-questions.ts';
import type { BenchScene } from './bench-scene.ts';
import type { LoadTarget } from './load-tools.ts';
import type { PeerQuestion } from './peers/peer.ts';
import { type Asked, bindingsOf, isAllowed } from './seed-model.ts';
import { idOf, type OrganizationPlan } from './seed-plan.ts';

const bindingsWanted = 8;

/** A user with so many bindings, in the smallest organization that has one, reading a document of its own team. */
export async function findQuestion({
  plans,
  pool,
  directory,
}: BenchScene): Promise<{ question: PeerQuestion; target: LoadTarget }> {
  const { plan, asked } = findAsked(plans);
  const call = toCall(plan, asked, true);
  const parsed = parseEvaluationRequest(toRequest(plan, asked));
  invariant(parsed.ok, 'a question of the bench is well formed');
  const facts = await postgresSubjectFacts(pool).find(idOf('org', plan.place), parsed.value.subject);
  const input = toPolicyInput(facts, parsed.value, toNumericDate(systemClock.now()));
  invariant(input.bindings.length === bindingsWanted, 'the plan and the database disagree');
  return {
    question: { input, request: toRequest(plan, asked), directory },
    target: { ...call, base: '', isRight: (answer) => answer === call.expected },
  };
}

function findAsked(plans: readonly OrganizationPlan[]): { plan: OrganizationPlan; asked: Asked } {
  for (const plan of plans.toReversed()) {
    for (let subject = 2; subject < plan.users; subject++) {
      const team = subject % plan.parents.length;
      const asked: Asked = { subject, type: 'document', action: 'read', id: '1', team, mfa: false };
      const bindings = bindingsOf(plan, subject);
      // The peers are given no conditions.
      const isPlain = bindings.every(({ condition }) => condition === undefined);
      if (bindings.length === bindingsWanted && isPlain && isAllowed(plan, asked)) return { plan, asked };
    }
  }
  throw new Error(`Nobody has ${bindingsWanted} bindings`);
}
