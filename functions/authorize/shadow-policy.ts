import type { Decision, PolicyInput } from '../../shared/authorization/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import {
  type ComparisonCounter,
  createComparisonCounter,
  type ShadowComparison,
} from './shadow-comparison.ts';
import { toVerdict, type Verdict } from './shadow-message.ts';
import type { ShadowThread } from './shadow-thread.ts';

export type ShadowPolicyDeps = {
  readonly thread: Pick<ShadowThread, 'evaluate' | 'revision'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type ShadowPolicyOptions = {
  /** Share of decisions that are compared, 0 to 1. */
  readonly sampleRate?: number;
  readonly waitingMax?: number;
  readonly logIntervalMs?: number;
  /** Rest after the shadow did not answer in time, so that a policy without end does not take a core. */
  readonly restMs?: number;
};

export type ShadowPolicy = {
  /** Synchronous, costs the decision nothing but a place in a queue, and never fails. */
  offer(input: PolicyInput, decision: Decision): void;
  report(): ShadowReport;
};

export type ShadowReport = {
  readonly sampleRate: number;
  /** Of the pair of revisions compared last. */
  readonly comparison: ShadowComparison | undefined;
  /** Not compared because the shadow was behind. */
  readonly dropped: number;
  /** Not compared because the shadow failed or did not answer in time. */
  readonly failed: number;
};

type Offered = { readonly input: PolicyInput; readonly live: Verdict; readonly liveRevision: string };

const batchMax = 64;

/**
 * Decides again what was just decided, by another policy, and counts where the two differ. In its own thread and not
 * before the answer was sent (setImmediate runs after the turn that answered); what it cannot keep up with is dropped.
 */
export function createShadowPolicy(deps: ShadowPolicyDeps, options: ShadowPolicyOptions = {}): ShadowPolicy {
  const { sampleRate = 1, waitingMax = 1_000, logIntervalMs = 60_000, restMs = 30_000 } = options;
  const { thread, clock, logger } = deps;
  const waiting: Offered[] = [];
  let isScheduled = false;
  let restUntil = 0;
  let [dropped, failed] = [0, 0];
  let counter: ComparisonCounter | undefined;
  const log = createRateLimitedLog({ clock, logger, intervalMs: logIntervalMs });

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      const verdicts = await thread.evaluate(batch.map(({ input }) => JSON.stringify(input)));
      if (verdicts === undefined) {
        failed += batch.length + waiting.splice(0).length;
        restUntil = clock.now().getTime() + restMs;
        return logger.warn({ restMs }, 'The shadow policy gave no answer in time and rests');
      }
      for (const [at, offered] of batch.entries()) compare(offered, verdicts[at]);
    }
    if (counter !== undefined) log(counter);
  }
  function compare({ input, live, liveRevision }: Offered, shadow: Verdict | undefined): void {
    if (shadow === undefined || shadow.code === 'error') {
      failed++;
      return;
    }
    const shadowRevision = thread.revision() ?? '';
    if (counter?.of.liveRevision !== liveRevision || counter.of.shadowRevision !== shadowRevision) {
      counter = createComparisonCounter({ liveRevision, shadowRevision, since: clock.now() });
    }
    counter.add(input, live, shadow);
  }
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      run()
        .catch((error: unknown) => logger.warn({ error }, 'The shadow policy failed'))
        .finally(() => {
          isScheduled = false;
          schedule();
        });
    });
  }
  return {
    offer: (input, decision) => {
      if (thread.revision() === undefined || decision.revision === undefined || decision.code === 'error')
        return;
      if (sampleRate < 1 && toFraction(deps.random) >= sampleRate) return;
      if (waiting.length >= waitingMax || clock.now().getTime() < restUntil) {
        dropped++;
        return;
      }
      waiting.push({ input, live: toVerdict(decision), liveRevision: decision.revision });
      schedule();
    },
    report: () => ({ sampleRate, comparison: counter?.read(), dropped, failed }),
  };
}

/** One line an interval, and only when there are disagreements it has not told of. */
function createRateLimitedLog(deps: { clock: Clock; logger: Logger; intervalMs: number }) {
  let told: { at: number; counter: ComparisonCounter; disagreed: number } | undefined;
  return (counter: ComparisonCounter): void => {
    const at = deps.clock.now().getTime();
    const disagreed = counter.disagreed();
    const known = told?.counter === counter ? told.disagreed : 0;
    if (disagreed === known || (told !== undefined && at - told.at < deps.intervalMs)) return;
    told = { at, counter, disagreed };
    const { byRule, bySubject: _, ...counts } = counter.read();
    deps.logger.warn({ ...counts, byRule: byRule.slice(0, 5) }, 'The shadow policy would decide otherwise');
  };
}

function toFraction(random: Random): number {
  return Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32;
}
