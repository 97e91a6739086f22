import { setTimeout as delay } from 'node:timers/promises';
import { seededNumbers } from './seeded.ts';
import { type HeldRight, untilRefused } from './time-to-refusal.ts';

export type RaceCount = {
  readonly tries: number;
  /** Answers after the race that were no refusals. */
  readonly stale: number;
  /** Answered as of before the change: a race that one side always wins proves nothing. */
  readonly permitted: number;
};

export type FillRace = {
  /** So many victims at once. */
  run(count: number): Promise<void>;
  /** Of all that was run. */
  count(): RaceCount;
};

/**
 * Rights are first asked about while they are revoked: some time between the start of the change and a little after its
 * end, as long as the change in the same place took the last time. Changes arrive in the order of their commits: once a
 * right that was revoked last is refused, each process knows of all, and must refuse all.
 */
export function createFillRace(bases: readonly string[], nextVictim: () => HeldRight): FillRace {
  const random = seededNumbers(1);
  const tookMs: number[] = [];
  const use = (victim: HeldRight, n: number) => victim.use(bases[n % bases.length] ?? '');
  async function race(victim: HeldRight, n: number) {
    const from = performance.now();
    const waitMs = random() * 1.2 * (tookMs[n] ?? 0);
    const revoke = async () => {
      await victim.revoke();
      tookMs[n] = performance.now() - from;
    };
    const ask = async () => {
      await delay(waitMs);
      return use(victim, n);
    };
    const [outcome] = await Promise.all([ask(), revoke()]);
    return outcome;
  }
  let counted: RaceCount = { tries: 0, stale: 0, permitted: 0 };
  return {
    run: async (count) => {
      const victims = Array.from({ length: count }, nextVictim);
      const last = nextVictim();
      await Promise.all(bases.map((base) => last.use(base)));
      const racing = await Promise.all(victims.map(race));
      await last.revoke();
      await Promise.all(bases.map((base) => untilRefused(base, last)));
      const after = await Promise.all(victims.map(use));
      counted = {
        tries: counted.tries + count,
        stale: counted.stale + after.filter((outcome) => outcome !== 'refused').length,
        permitted: counted.permitted + racing.filter((outcome) => outcome === 'permitted').length,
      };
    },
    count: () => counted,
  };
}
