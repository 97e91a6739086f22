import { Worker } from 'node:worker_threads';
import type { PolicyBundle, PolicyBundleFailure } from '../../shared/authorization/index.ts';
import { fail, ok, type Result, withDeadline } from '../../shared/kernel/index.ts';
import type { ShadowAnswer, ShadowRequest, Verdict } from './shadow-message.ts';

export type ShadowThread = {
  /** As an engine's: a bundle that does not work, or not in time, is refused and the one before it stays. */
  activate(bundle: PolicyBundle): Promise<Result<{ readonly revision: string }, PolicyBundleFailure>>;
  /** Revision of the bundle that evaluates. */
  revision(): string | undefined;
  /** Undefined when the policy did not answer in time: then the thread was ended, and a new one begins. */
  evaluate(inputs: readonly string[]): Promise<readonly Verdict[] | undefined>;
  close(): Promise<void>;
};

// Beside this file as source, and beside the bundled function as esbuild.config.ts names it.
const script = new URL(
  import.meta.url.endsWith('.ts') ? './shadow-worker.ts' : './shadow-worker.mjs',
  import.meta.url,
);

/**
 * One thread for the shadow policy. WASM cannot be interrupted, so what runs over its time is ended with its thread,
 * and the bundle is loaded into a new one at the next question. Calls run one after the other.
 */
export function openShadowThread(
  options: { readonly timeoutMs?: number; readonly startTimeoutMs?: number } = {},
): ShadowThread {
  // To start a thread and compile a policy takes longer than to ask it.
  const { timeoutMs = 2_000, startTimeoutMs = 20_000 } = options;
  let worker: Worker | undefined;
  let good: PolicyBundle | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  }
  function begin(): Worker {
    const begun = start();
    begun.once('exit', () => {
      if (worker === begun) worker = undefined;
    });
    worker = begun;
    return begun;
  }
  async function end(): Promise<void> {
    const ended = worker;
    worker = undefined;
    await ended?.terminate();
  }
  /** Undefined, and the thread is gone, when there is no answer in time. */
  async function ask(request: ShadowRequest): Promise<ShadowAnswer | undefined> {
    const limit = request.ask === 'activate' ? startTimeoutMs : timeoutMs;
    const asked = worker ?? begin();
    try {
      return await withDeadline({ what: 'the shadow policy', timeoutMs: limit }, () =>
        answerOf(asked, request),
      );
    } catch {
      await end();
      return undefined;
    }
  }
  async function load(bundle: PolicyBundle): Promise<string | undefined> {
    const answer = await ask({ ask: 'activate', bundle });
    if (answer === undefined) return 'it gives no answer in time';
    return 'activated' in answer && !answer.activated ? answer.detail : undefined;
  }
  return {
    revision: () => good?.manifest.revision,
    activate: (bundle) =>
      inTurn(async () => {
        const problem = await load(bundle);
        if (problem !== undefined) return fail({ code: 'policy_bundle.unusable', detail: problem });
        good = bundle;
        return ok({ revision: bundle.manifest.revision });
      }),
    evaluate: (inputs) =>
      inTurn(async () => {
        if (good === undefined) return undefined;
        if (worker === undefined && (await load(good)) !== undefined) return undefined;
        const answer = await ask({ ask: 'evaluate', inputs });
        return answer !== undefined && 'verdicts' in answer ? answer.verdicts : undefined;
      }),
    close: () => inTurn(end),
  };
}

function start(): Worker {
  const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: 128 } });
  // Without a listener an error in the thread would end this process too.
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}

function answerOf(worker: Worker, request: ShadowRequest): Promise<ShadowAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ShadowAnswer>();
  const ended = () => reject(new Error('the thread of the shadow policy ended'));
  worker.once('message', resolve).once('exit', ended);
  worker.postMessage(request);
  return promise.finally(() => worker.off('message', resolve).off('exit', ended));
}
