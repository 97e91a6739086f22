import type { BoundedPolicyEngine, Decision, PolicyInput } from '../../shared/authorization/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import {
  type ComparisonCounter,
  createComparisonCounter,
  type ShadowComparison,
  toVerdict,
  type Verdict,
} from './shadow-comparison.ts';

export type ShadowPolicyDeps = {
  /** Runs in a thread that can be ended; what takes too long is an error. */
  readonly engine: Pick<BoundedPolicyEngine, 'evaluate' | 'status'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

export type ShadowPolicyOptions = {
  /** Share of decisions that are compared, 0 to 1. */
  readonly sampleRate?: number;
  readonly waitingMax?: number;
  readonly logIntervalMs?: number;
  /** Rest after errors in a row, so that a policy without end does not take a core. */
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
  /** Not compared because the shadow was behind, or rested. */
  readonly dropped: number;
  /** Not compared because the shadow failed or did not answer in time. */
  readonly failed: number;
};

type Offered = { readonly input: PolicyInput; readonly live: Verdict; readonly liveRevision: string };

/** So many errors in a row are the policy's way, not one question's. */
const errorsInRowMax = 3;

/**
 * Decides again what was just decided, by another policy, and counts where the two differ. In its own thread and not
 * before the answer was sent (setImmediate runs after the turn that answered); what it cannot keep up with is dropped.
 */
export function createShadowPolicy(deps: ShadowPolicyDeps, options: ShadowPolicyOptions = {}): ShadowPolicy {
  const { sampleRate = 1, waitingMax = 1_000, logIntervalMs = 60_000, restMs = 30_000 } = options;
  const { engine, clock, logger } = deps;
  const waiting: Offered[] = [];
  let isScheduled = false;
  let restUntil = 0;
  let [dropped, failed, errorsInRow] = [0, 0, 0];
  let counter: ComparisonCounter | undefined;
  const log = createRateLimitedLog({ clock, logger, intervalMs: logIntervalMs });

  async function run(): Promise<void> {
    for (let offered = waiting.shift(); offered !== undefined; offered = waiting.shift()) {
      const decision = await engine.evaluate(offered.input);
      if (decision.code === 'error') noteError(decision.cause);
      else compare(offered, decision);
    }
    if (counter !== undefined) log(counter);
  }
  function noteError(error: unknown): void {
    failed++;
    if (++errorsInRow < errorsInRowMax) return;
    errorsInRow = 0;
    dropped += waiting.splice(0).length;
    restUntil = clock.now().getTime() + restMs;
    logger.warn({ error, restMs }, 'The shadow policy fails and rests');
  }
  function compare({ input, live, liveRevision }: Offered, shadow: Decision): void {
    errorsInRow = 0;
    const shadowRevision = shadow.revision ?? '';
    if (counter?.of.liveRevision !== liveRevision || counter.of.shadowRevision !== shadowRevision) {
      counter = createComparisonCounter({ liveRevision, shadowRevision, since: clock.now() });
    }
    counter.add(input, live, toVerdict(shadow));
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
      const isComparable = decision.revision !== undefined && decision.code !== 'error';
      if (!isComparable || engine.status().revision === undefined) return;
      if (sampleRate < 1 && toFraction(deps.random) >= sampleRate) return;
      if (waiting.length >= waitingMax || clock.now().getTime() < restUntil) {
        dropped++;
        return;
      }
      waiting.push({ input, live: toVerdict(decision), liveRevision: decision.revision ?? '' });
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
