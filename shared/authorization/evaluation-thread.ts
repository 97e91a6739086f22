import { Worker } from 'node:worker_threads';
import { invariant, withDeadline } from '../kernel/index.ts';
import type { PolicyBundle } from './policy-bundle.ts';
import type { PolicyInput } from './policy-input.ts';

export type EvaluationThreadData = {
  readonly bundle: PolicyBundle;
  /** The id of the task that is being evaluated, or 0. */
  readonly busyWith: Int32Array<SharedArrayBuffer>;
};

/** `id` is above 0. */
export type EvaluationTask = { readonly id: number } & EvaluationQuestion;

export type EvaluationQuestion =
  | { readonly ask: 'evaluate'; readonly input: PolicyInput }
  | { readonly ask: 'candidates'; readonly input: object };

export type EvaluationAnswer =
  | { readonly activated: true }
  | { readonly activated: false; readonly detail: string }
  /** A decision, or candidates. */
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly thrown: string };

/** One policy in a thread of its own. */
export type EvaluationThread = {
  ask(task: EvaluationTask): void;
  /** The id of the task that is being evaluated, or 0. */
  busyWith(): number;
  end(): Promise<void>;
};

export type EvaluationThreadEvents = {
  onAnswer(id: number, answer: Extract<EvaluationAnswer, { id: number }>): void;
  /** Ended by itself: out of memory, or worse. */
  onEnd(): void;
};

/** Why a bundle cannot be used, for whoever offered it: the bytes are to blame, and the same will fail again. */
export class UnusableBundleError extends Error {
  override readonly name = 'UnusableBundleError';
}

// Beside this file as source, and beside the bundled function as esbuild.config.ts names it.
const script = new URL(
  import.meta.url.endsWith('.ts') ? './evaluation-worker.ts' : './evaluation-worker.mjs',
  import.meta.url,
);
const startTimeoutMs = 5_000;

/**
 * Resolves once the policy answers; throws `UnusableBundleError` when it does not work. Any other error, such as that of
 * a thread that ended or took too long, may have passed the next time.
 */
export async function startEvaluationThread(
  bundle: PolicyBundle,
  events: EvaluationThreadEvents,
): Promise<EvaluationThread> {
  const busyWith = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const data: EvaluationThreadData = { bundle, busyWith };
  const worker = new Worker(script, { workerData: data, resourceLimits: { maxOldGenerationSizeMb: 128 } });
  worker.unref();
  try {
    await withDeadline({ what: 'the policy thread', timeoutMs: startTimeoutMs }, () => activationOf(worker));
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  let isEnding = false;
  worker.on('message', (answer: EvaluationAnswer) => {
    invariant('id' in answer, 'a policy thread answers tasks once it is activated');
    events.onAnswer(answer.id, answer);
  });
  worker.on('error', () => undefined);
  worker.once('exit', () => {
    if (!isEnding) events.onEnd();
  });
  return {
    ask: (task) => worker.postMessage(task),
    busyWith: () => Atomics.load(busyWith, 0),
    end: async () => {
      isEnding = true;
      await worker.terminate();
    },
  };
}

function activationOf(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onEnd = () => reject(new Error('The thread of the policy ended'));
  worker.once('error', reject).once('exit', onEnd);
  worker.once('message', (answer: EvaluationAnswer) => {
    if ('detail' in answer) reject(new UnusableBundleError(answer.detail));
    else resolve();
  });
  return promise.finally(() => worker.off('error', reject).off('exit', onEnd));
}
