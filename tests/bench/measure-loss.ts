import { systemClock } from '../../shared/kernel/index.ts';
import { createQuestions } from './authorize-questions.ts';
import type { BenchOptions, BenchResult } from './bench-result.ts';
import type { BenchScene } from './bench-scene.ts';
import { findKeptRequests, untilInsertsEnded } from './kept-decisions.ts';
import { type Answered, type KilledCall, type KilledLoad, runKilledLoad } from './killed-load.ts';
import { idOf } from './seed-plan.ts';
import { seededNumbers } from './seeded.ts';

/** As functions/authorize/README.md states it: a killed instance loses what is younger. */
const lossBoundMs = 1_000;
/** Of the load before a kill, and how much longer it may last: at any moment between two flushes. */
const [loadMs, moreMs] = [3_000, 1_000];

type OwnedCall = KilledCall & { readonly organization: string; readonly ownerBinding: string };

/** An answer whose record must be kept. */
type Owed = {
  readonly requestId: string;
  readonly organization: string;
  /** Between the answer and the kill. */
  readonly ageMs: number;
  readonly isPrivileged: boolean;
};

type Kill = { readonly owed: readonly Owed[]; readonly lost: readonly Owed[] };

/**
 * A process is killed under load, again and again: which decisions had it answered whose records are nowhere
 * afterwards, how long before had it answered the oldest of them, and is any among them that should have been durable?
 * First nobody asks about owners, since a privileged record takes with it what waits, as if there were no interval;
 * then half of the questions are about owners, and the kill follows the answer of one at once.
 */
export async function measureLoss(scene: BenchScene, options: BenchOptions): Promise<BenchResult[]> {
  const perLoad = options.quick ? 3 : 10;
  const rate = options.quick ? 200 : 833;
  const next = createOwnedCalls(scene);
  const random = seededNumbers(3);
  const measure = async (load: string, how: Pick<KilledLoad<OwnedCall>, 'nextCall' | 'isMoment'>) => {
    const kills: Kill[] = [];
    while (kills.length < perLoad) {
      const killAfterMs = loadMs + random() * moreMs;
      const kill = await measureKill(scene, { rate, killAfterMs, ...how });
      kills.push(kill);
      options.progress(
        `Killed ${kills.length} of ${perLoad} at ${rate}/s, ${load}: ${kill.lost.length} of ${kill.owed.length} ` +
          `records lost, the oldest of an answer ${oldestOf(kill.lost).toFixed(0)} ms before`,
      );
    }
    return kills;
  };
  const ordinary = await measure('none privileged', {
    nextCall: () => nextOf(next, ({ isPrivileged }) => isPrivileged !== true),
  });
  const privileged = await measure('half privileged', {
    nextCall: () => (random() < 0.5 ? nextOf(next, ({ isPrivileged }) => isPrivileged === true) : next()),
    isMoment: (call, reply) => toOwed({ call, reply, ageMs: 0 }).some(({ isPrivileged }) => isPrivileged),
  });
  return [
    { name: 'kills under load', value: 2 * perLoad, unit: 'processes' },
    ...toResults('none privileged', rate, ordinary),
    ...toResults('half privileged', rate, privileged),
    ...toPrivilegedResults(privileged),
  ];
}

function nextOf<T>(next: () => T, isWanted: (item: T) => boolean): T {
  for (;;) {
    const item = next();
    if (isWanted(item)) return item;
  }
}

async function measureKill(scene: BenchScene, load: KilledLoad<OwnedCall>): Promise<Kill> {
  const authorize = await scene.startAuthorize();
  const from = systemClock.now();
  const answered = await runKilledLoad(authorize, load);
  await authorize.stop();
  await untilInsertsEnded(scene);
  const owed = answered.flatMap(toOwed);
  const organizations = new Set(owed.map(({ organization }) => organization));
  const kept = await findKeptRequests(scene, { organizations, from, to: systemClock.now() });
  return { owed, lost: owed.filter(({ requestId }) => !kept.has(requestId)) };
}

/** Each under an id of its own, with reasons: they say by whose binding it was decided. */
function createOwnedCalls({ plans }: BenchScene): () => OwnedCall {
  const nextQuestion = createQuestions(plans, 3);
  let asked = 0;
  return () => {
    const question = nextQuestion();
    return {
      ...question,
      body: JSON.stringify({ ...JSON.parse(question.body), options: { reasons: true } }),
      requestId: `loss-${asked++}`,
      organization: idOf('org', question.place),
      ownerBinding: idOf('bind', question.place, ownerBindingPlace),
    };
  };
}

/** See `planBindings`. */
const ownerBindingPlace = 1;

/** At the level of the seeded organizations, the default: refusals, and what an owner's binding decided. */
function toOwed({ call, reply, ageMs }: Answered<OwnedCall>): Owed[] {
  if (reply.status !== 200) return [];
  const { decision, context } = JSON.parse(reply.body) as {
    decision: boolean;
    context: { binding?: string };
  };
  const isPrivileged = context.binding === call.ownerBinding;
  const { requestId, organization } = call;
  return decision && !isPrivileged ? [] : [{ requestId, organization, ageMs, isPrivileged }];
}

/** An answer that was on its way to us at the kill is no older than nothing. */
function oldestOf(lost: readonly Owed[]): number {
  return lost.reduce((oldest, { ageMs }) => Math.max(oldest, ageMs), 0);
}

function toResults(load: string, rate: number, kills: readonly Kill[]): BenchResult[] {
  const at = `at ${rate}/s, ${load}`;
  const young = kills.map(({ owed }) => owed.filter(({ ageMs }) => ageMs <= lossBoundMs).length);
  return [
    ...kills.map(
      ({ lost }, n): BenchResult => ({
        name: `oldest answer lost by kill ${n + 1} ${at}`,
        value: oldestOf(lost),
        unit: 'ms before',
        boundMax: lossBoundMs,
      }),
    ),
    { name: `records lost a kill ${at}`, value: countOf(kills, 'lost') / kills.length, unit: 'records' },
    { name: `records owed ${at}`, value: countOf(kills, 'owed'), unit: 'records' },
    // Or there was nothing to lose.
    {
      name: `least owed of the last second ${at}`,
      value: Math.min(...young),
      unit: 'records',
      boundMin: 1,
    },
  ];
}

function toPrivilegedResults(kills: readonly Kill[]): BenchResult[] {
  const count = (of: 'owed' | 'lost') => countOf(kills, of, ({ isPrivileged }) => isPrivileged);
  return [
    { name: 'privileged records owed', value: count('owed'), unit: 'records', boundMin: 1 },
    { name: 'privileged records lost', value: count('lost'), unit: 'records', boundMax: 0 },
  ];
}

function countOf(
  kills: readonly Kill[],
  of: keyof Kill,
  counts: (owed: Owed) => boolean = () => true,
): number {
  return kills.reduce((sum, kill) => sum + kill[of].filter(counts).length, 0);
}
