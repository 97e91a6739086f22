import { type Clock, createTransientMap } from '../kernel/index.ts';
import type { EvaluationQuestion, EvaluationThreadEvents } from './evaluation-thread.ts';
import { type EvaluationThreadStart, startEvaluationThreadPair } from './evaluation-thread-pair.ts';
import { createFairQueue } from './fair-queue.ts';
import { createOrganizationRest } from './organization-rest.ts';
import type { PolicyBundle } from './policy-bundle.ts';

export type EvaluationQueue = {
  /**
   * A decision, or candidates. Rejects with `NotEvaluatedError` when the policy was not asked, and with any other error
   * when it took too long or threw.
   */
  ask(organizationId: string, question: EvaluationQuestion): Promise<unknown>;
  /** Whether the policy can be run now. */
  isRunning(): boolean;
  /** Answers what waits, then ends its threads. */
  close(): Promise<void>;
};

export type EvaluationQueueDeps = {
  readonly bundle: PolicyBundle;
  readonly clock: Clock;
  readonly startThread?: EvaluationThreadStart | undefined;
};

export type EvaluationQueueOptions = {
  /** What one evaluation may take. */
  readonly deadlineMs: number;
  /** How long a question may wait to be evaluated. */
  readonly waitMs: number;
  readonly waitingMax: number;
};

/** The policy was not asked: there is no decision, and the same question may be put again. */
export class NotEvaluatedError extends Error {
  override readonly name = 'NotEvaluatedError';
}

type Task = {
  readonly id: number;
  readonly organizationId: string;
  readonly question: EvaluationQuestion;
  readonly since: number;
  resolve(answer: unknown): void;
  reject(error: Error): void;
};

/** In the thread's hands: more than one, so that it never idles, and few, since there they have no turns. */
const askedMax = 4;
/** So many organizations must ask too much before others are refused. */
const sharesMin = 4;
const looksPerDeadline = 4;

/**
 * The questions of one bundle, of each organization in turn, each to be evaluated within `deadlineMs` of when its
 * evaluation began. Throws `UnusableBundleError` when the bundle does not work.
 */
export async function createEvaluationQueue(
  deps: EvaluationQueueDeps,
  { deadlineMs, waitMs, waitingMax }: EvaluationQueueOptions,
): Promise<EvaluationQueue> {
  const waiting = createFairQueue<Task>();
  const asked = createTransientMap<number, Task>();
  const rest = createOrganizationRest(deps);
  let lastId = 0;
  let seen = { id: 0, looks: 0 };
  let watch: NodeJS.Timeout | undefined;
  let isClosed = false;
  const idle = Promise.withResolvers<void>();
  const now = () => deps.clock.now().getTime();
  const threads = await startEvaluationThreadPair(
    deps.bundle,
    {
      onAnswer: settle,
      onEnd: () => void replaceThread(),
      onBroken: () => {
        refuse(
          waiting.takeWhile(() => true),
          'it cannot be run',
        );
        dispatch();
      },
    },
    deps.startThread,
  );

  function settle(...[id, given]: Parameters<EvaluationThreadEvents['onAnswer']>): void {
    const task = asked.get(id);
    asked.delete(id);
    if ('answer' in given) task?.resolve(given.answer);
    else task?.reject(new Error(given.thrown));
    dispatch();
  }
  function dispatch(): void {
    const thread = threads.current();
    while (thread !== undefined && asked.size < askedMax) {
      const task = waiting.take();
      if (task === undefined) break;
      asked.set(task.id, task);
      thread.ask({ id: task.id, ...task.question });
    }
    if (isClosed && asked.size + waiting.size === 0) idle.resolve();
  }
  /** Looks often enough that an evaluation is ended within a quarter more than its time. */
  function look(): void {
    watch = undefined;
    const id = threads.current()?.busyWith() ?? 0;
    seen = { id, looks: id !== 0 && id === seen.id ? seen.looks + 1 : 0 };
    if (seen.looks >= looksPerDeadline) void replaceThread();
    const tooOld = now() - waitMs;
    refuse(
      waiting.takeWhile(({ since }) => since < tooOld),
      'it waited too long',
    );
    dispatch();
    keepLooking();
  }
  function keepLooking(): void {
    if (asked.size + waiting.size > 0) watch ??= setTimeout(look, deadlineMs / looksPerDeadline);
  }
  function refuse(tasks: readonly Task[], why: string): void {
    for (const task of tasks) task.reject(new NotEvaluatedError(`The policy was not asked: ${why}`));
  }
  /** Whatever the thread was busy with is refused; the rest is asked of the next one. */
  async function replaceThread(): Promise<void> {
    const ended = threads.current();
    if (ended === undefined) return;
    const guilty = asked.get(ended.busyWith());
    const replaced = threads.replace();
    if (guilty !== undefined) end(guilty);
    for (const [id, task] of [...asked].reverse()) {
      asked.delete(id);
      waiting.putBack(task.organizationId, task);
    }
    if (guilty !== undefined && rest.isResting(guilty.organizationId))
      refuse(waiting.takeAllOf(guilty.organizationId), 'too many before it did not end');
    await replaced;
    dispatch();
  }
  function end(guilty: Task): void {
    asked.delete(guilty.id);
    rest.blame(guilty.organizationId);
    guilty.reject(new Error(`the policy did not answer within ${deadlineMs} ms`));
  }
  return {
    ask: (organizationId, question) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const task = { id: ++lastId, organizationId, question, since: now(), resolve, reject };
      const isFull = waiting.size >= waitingMax || waiting.countOf(organizationId) >= waitingMax / sharesMin;
      if (threads.isBroken()) refuse([task], 'it cannot be run');
      else if (isFull) refuse([task], 'too many questions wait');
      else if (rest.isResting(organizationId)) refuse([task], 'too many before it did not end');
      else waiting.add(organizationId, task);
      dispatch();
      keepLooking();
      return promise;
    },
    isRunning: () => !threads.isBroken(),
    close: async () => {
      isClosed = true;
      if (asked.size + waiting.size > 0) await idle.promise;
      clearTimeout(watch);
      await threads.close();
    },
  };
}
