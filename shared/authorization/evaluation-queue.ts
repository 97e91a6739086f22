import {
  type EvaluationQuestion,
  type EvaluationThread,
  startEvaluationThread,
} from './evaluation-thread.ts';
import type { PolicyBundle } from './policy-bundle.ts';

export type EvaluationQueue = {
  /** A decision, or candidates. Rejects when it took too long, when it threw, or when too much waits before it. */
  ask(question: EvaluationQuestion): Promise<unknown>;
  /** Answers what waits, then ends its threads. */
  close(): Promise<void>;
};

type Waiting = {
  readonly question: EvaluationQuestion;
  resolve(answer: unknown): void;
  reject(error: Error): void;
};

/** Beyond it a question is refused at once: those before it would take longer than anyone waits. */
const waitingMax = 2_000;
const restartsMax = 5;
const looksPerDeadline = 4;

/**
 * The questions of one bundle, each to be evaluated within `deadlineMs` of when its evaluation began. Throws
 * `UnusableBundleError` when the bundle does not work.
 */
export async function createEvaluationQueue(
  bundle: PolicyBundle,
  { deadlineMs }: { readonly deadlineMs: number },
): Promise<EvaluationQueue> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let seen = { id: 0, looks: 0 };
  let watch: NodeJS.Timeout | undefined;
  let isClosed = false;
  const idle = Promise.withResolvers<void>();

  let isBroken = false;

  let thread: EvaluationThread | undefined = await start();
  // Started before it is needed: a thread takes a tenth of a second, and questions wait meanwhile.
  let spare = startSpare();

  async function start(): Promise<EvaluationThread> {
    const started: EvaluationThread = await startEvaluationThread(bundle, {
      onAnswer: (id, given) =>
        settle(id, (task) => {
          if ('answer' in given) task.resolve(given.answer);
          else task.reject(new Error(given.thrown));
        }),
      onEnd: () => {
        if (started === thread) void replaceThread();
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
  function settle(id: number, how: (task: Waiting) => void): void {
    const task = waiting.get(id);
    waiting.delete(id);
    if (task !== undefined) how(task);
    if (isClosed && waiting.size === 0) idle.resolve();
  }
  /** Looks often enough that an evaluation is ended within a quarter more than its time. */
  function look(): void {
    watch = undefined;
    const id = thread?.busyWith() ?? 0;
    seen = { id, looks: id !== 0 && id === seen.id ? seen.looks + 1 : 0 };
    if (seen.looks >= looksPerDeadline) void replaceThread();
    keepLooking();
  }
  function keepLooking(): void {
    if (waiting.size > 0) watch ??= setTimeout(look, deadlineMs / looksPerDeadline);
  }
  /** Whatever the thread was busy with is refused; the rest is asked of the next one, in its order. */
  async function replaceThread(): Promise<void> {
    const ended = thread;
    if (ended === undefined) return;
    thread = undefined;
    const guilty = ended.busyWith();
    void ended.end();
    settle(guilty, (task) => task.reject(new Error(`the policy did not answer within ${deadlineMs} ms`)));
    thread = await takeSpare();
    if (thread === undefined) return refuseAll();
    for (const [id, { question }] of waiting) thread.ask({ id, ...question });
  }
  async function takeSpare(): Promise<EvaluationThread | undefined> {
    for (let attempt = 0; attempt < restartsMax; attempt++) {
      const taken = await spare.catch(() => undefined);
      spare = startSpare();
      if (taken !== undefined) return taken;
    }
    return undefined;
  }
  function refuseAll(): void {
    isBroken = true;
    for (const id of [...waiting.keys()])
      settle(id, (task) => task.reject(new Error('the policy cannot be run')));
  }
  return {
    ask: (question) => {
      if (waiting.size >= waitingMax) return Promise.reject(new Error('too many questions wait'));
      if (isBroken) return Promise.reject(new Error('the policy cannot be run'));
      const id = ++lastId;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting.set(id, { question, resolve, reject });
      thread?.ask({ id, ...question });
      keepLooking();
      return promise;
    },
    close: async () => {
      isClosed = true;
      if (waiting.size > 0) await idle.promise;
      clearTimeout(watch);
      const ends = [thread, await spare.catch(() => undefined)].map((each) => each?.end());
      await Promise.all(ends);
    },
  };
}
