import { toPolicyInput } from '../../shared/authorization/evaluate-access.ts';
import { parseEvaluationRequest } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { invariant, systemClock, toNumericDate } from '../../shared/kernel/index.ts';
import { toCall, toRequest } from './authorize-questions.ts';
import { absent, type BenchOptions, type BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { percentile } from './latency.ts';
import {
  findVegeta,
  isAnsweredRight,
  type LoadTarget,
  measurePeak,
  missingForPeaks,
  pinToServerCore,
  runFixedRate,
} from './load-tools.ts';
import { bareNode } from './peers/bare-node.ts';
import { cerbos } from './peers/cerbos.ts';
import { opa } from './peers/opa.ts';
import { openfga } from './peers/openfga.ts';
import type { PeerQuestion } from './peers/peer.ts';
import { type Asked, bindingsOf, isAllowed } from './seed-model.ts';
import { idOf, type OrganizationPlan } from './seed-plan.ts';

const bindingsWanted = 8;
const peers = [bareNode, opa, openfga, cerbos];

/** One process of authorize and each peer in turn, alone on one core, answering one question with eight bindings. */
export async function measurePeers(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const missing = missingForPeaks();
  if (missing !== undefined) return [absent('throughput beside peers', missing)];
  const { question, target } = await findQuestion(scene);
  const seconds = options.quick ? 4 : 15;
  const ours = await scene.startAuthorize();
  await pinToServerCore(ours.pid);
  const peak = async (name: string, of: LoadTarget) => {
    invariant(await isAnsweredRight(of), `${name} does not answer the question right`);
    await measurePeak(of, seconds, scene.directory);
    const measured = await measurePeak(of, seconds, scene.directory);
    options.progress(
      `  ${name}: ${Math.round(measured.perSecond)}/s, p99 ${measured.p99Ms} ms, ${measured.failed} failed`,
    );
    return measured;
  };
  options.progress(`Measuring one process on one core beside its peers, ${seconds} s each`);
  const own = { ...target, base: ours.base };
  const results: BenchResult[] = [];
  for (const peer of peers) {
    const running = await peer.start(question);
    if (running === undefined) {
      results.push(absent(`throughput to ${peer.name}`, 'cannot be had on this machine'));
      continue;
    }
    // Right before and after, so that a machine whose speed changes favours nobody.
    const before = await peak('authorize', own);
    const theirs = await peak(peer.name, running.target);
    const after = await peak('authorize', own);
    const perSecond = (before.perSecond + after.perSecond) / 2;
    results.push(
      { name: `throughput beside ${peer.name}`, value: perSecond, unit: 'requests/s' },
      {
        name: `failures beside ${peer.name}`,
        value: before.failed + after.failed,
        unit: 'requests',
        boundMax: 0,
      },
      { name: `throughput of ${peer.name}`, value: theirs.perSecond, unit: 'requests/s' },
      {
        name: `throughput to ${peer.name}`,
        value: perSecond / theirs.perSecond,
        unit: 'times',
        boundMin: peer.timesMin,
      },
    );
    if (peer === opa)
      results.push(
        ...(await compareLatency(own, running.target, theirs.perSecond * 0.8, { scene, seconds })),
      );
    await running.stop();
  }
  await ours.stop();
  return results;
}

/** Both at the rate that is 80% of the peer's peak. */
async function compareLatency(
  own: LoadTarget,
  other: LoadTarget,
  perSecond: number,
  { scene, seconds }: { scene: BenchScene; seconds: number },
): Promise<BenchResult[]> {
  const vegeta = await findVegeta();
  if (vegeta === undefined)
    return [absent('p95 at 80% of the peak of OPA', 'vegeta cannot be had on this machine')];
  const load = { perSecond, seconds, directory: scene.directory };
  const p95 = async (target: LoadTarget) =>
    percentile((await runFixedRate(vegeta, target, load)).get(200) ?? new Float64Array(), 95);
  const [theirs, ours] = [await p95(other), await p95(own)];
  return [
    { name: `p95 at ${Math.round(perSecond)}/s`, value: ours, unit: 'ms', boundMax: theirs },
    { name: `p95 of OPA at ${Math.round(perSecond)}/s`, value: theirs, unit: 'ms' },
  ];
}

/** A user with so many bindings, in the smallest organization that has one, reading a document of its own team. */
async function findQuestion({
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
      if (bindingsOf(plan, subject).length === bindingsWanted && isAllowed(plan, asked))
        return { plan, asked };
    }
  }
  throw new Error(`Nobody has ${bindingsWanted} bindings`);
}
