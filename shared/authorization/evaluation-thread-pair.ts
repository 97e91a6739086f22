import { setTimeout as pause } from 'node:timers/promises';
import {
  type EvaluationThread,
  type EvaluationThreadEvents,
  startEvaluationThread,
} from './evaluation-thread.ts';
import type { PolicyBundle } from './policy-bundle.ts';

export type EvaluationThreadPair = {
  /** Undefined while it is being replaced. */
  current(): EvaluationThread | undefined;
  /** Ends the current one. Resolves once there is another, however long that takes. */
  replace(): Promise<void>;
  /** Whether the last attempts to start one failed. It goes on trying. */
  isBroken(): boolean;
  close(): Promise<void>;
};

export type EvaluationThreadPairEvents = Pick<EvaluationThreadEvents, 'onAnswer'> & {
  /** The current one ended by itself: it is to be replaced. */
  onEnd(): void;
  onBroken(): void;
};

export type EvaluationThreadStart = typeof startEvaluationThread;

const attemptsMax = 5;
const retryMs = 1_000;

/**
 * One thread that works, and one that is started before it is needed: that takes a tenth of a second, and questions
 * wait meanwhile. Throws when the first cannot be started.
 */
export async function startEvaluationThreadPair(
  bundle: PolicyBundle,
  events: EvaluationThreadPairEvents,
  startThread: EvaluationThreadStart = startEvaluationThread,
): Promise<EvaluationThreadPair> {
  let isClosed = false;
  let isBroken = false;
  let thread: EvaluationThread | undefined = await start();
  let spare = startSpare();

  async function start(): Promise<EvaluationThread> {
    const started: EvaluationThread = await startThread(bundle, {
      onAnswer: events.onAnswer,
      onEnd: () => {
        if (started === thread) events.onEnd();
        else spare = startSpare();
      },
    });
    return started;
  }
  function startSpare(): Promise<EvaluationThread> {
    const started = start();
    started.catch(() => undefined);
    return started;
  }
  async function takeSpare(): Promise<EvaluationThread | undefined> {
    const taken = await spare.catch(() => undefined);
    spare = startSpare();
    return taken;
  }
  return {
    current: () => thread,
    replace: async () => {
      void thread?.end();
      thread = undefined;
      for (let attempt = 1; !isClosed; attempt++) {
        thread = await takeSpare();
        isBroken = thread === undefined && attempt >= attemptsMax;
        if (thread !== undefined) return;
        if (!isBroken) continue;
        events.onBroken();
        await pause(retryMs, undefined, { ref: false });
      }
    },
    isBroken: () => isBroken,
    close: async () => {
      isClosed = true;
      await Promise.all([thread, await spare.catch(() => undefined)].map((each) => each?.end()));
    },
  };
}
