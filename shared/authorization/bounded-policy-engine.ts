import { z } from 'zod';
import { type Clock, fail, ok, type Result } from '../kernel/index.ts';
import { type Decision, refuseForError } from './decision.ts';
import { createEvaluationQueue, type EvaluationQueue, NotEvaluatedError } from './evaluation-queue.ts';
import { UnusableBundleError } from './evaluation-thread.ts';
import type { EvaluationThreadStart } from './evaluation-thread-pair.ts';
import type { PolicyBundle, PolicyBundleFailure } from './policy-bundle.ts';
import type { PolicyEngine, PolicyStatus } from './policy-engine.ts';
import type { PolicyInput } from './policy-input.ts';

export type BoundedPolicyEngine = Pick<PolicyEngine, 'data' | 'activate' | 'status'> & {
  /**
   * Never rejects: what takes too long is a refusal with code `error` too. One without a revision was not evaluated:
   * too much waited before it, or the policy cannot be run now.
   */
  evaluate(input: PolicyInput): Promise<Decision>;
  /** Rejects when it takes too long, or was not evaluated. */
  candidates(input: object): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
};

export type BoundedPolicyEngineOptions = {
  /** What one evaluation may take; an ordinary one takes 20 us. */
  readonly deadlineMs?: number;
  /** How long a question may wait until its evaluation begins; beyond it nobody waits for the answer. */
  readonly waitMs?: number;
  /** Questions that may wait at once; one organization's a quarter of them. */
  readonly waitingMax?: number;
};

export type BoundedPolicyEngineDeps = {
  readonly clock: Clock;
  readonly startThread?: EvaluationThreadStart;
};

type Active = { readonly revision: string; readonly queue: EvaluationQueue; readonly data: unknown };

/**
 * For policies that we did not write. WASM cannot be interrupted, so they run in a thread: an evaluation over its time
 * is ended with its thread and refused, those that waited behind it go on in the spare one, and questions about other
 * things are never in its way. Costs about 50 us a question more than `createPolicyEngine`.
 */
export function createBoundedPolicyEngine(
  { clock, startThread }: BoundedPolicyEngineDeps,
  { deadlineMs = 50, waitMs = 2_000, waitingMax = 2_000 }: BoundedPolicyEngineOptions = {},
): BoundedPolicyEngine {
  const limits = { deadlineMs, waitMs, waitingMax };
  let active: Active | undefined;
  let status: PolicyStatus = { revision: undefined, activatedAt: undefined };
  let turn: Promise<unknown> = Promise.resolve();

  function refuse(revision: string, detail: string): Result<PolicyStatus, PolicyBundleFailure> {
    const failure = { code: 'policy_bundle.unusable', detail } as const;
    status = { ...status, refused: { revision, failure, at: clock.now() } };
    return fail(failure);
  }
  async function replace(bundle: PolicyBundle): Promise<Result<PolicyStatus, PolicyBundleFailure>> {
    const { revision } = bundle.manifest;
    try {
      const queue = await createEvaluationQueue({ bundle, clock, startThread }, limits);
      const before = active;
      active = { revision, queue, data: JSON.parse(Buffer.from(bundle.data).toString('utf8')) };
      status = { revision, activatedAt: clock.now() };
      void before?.queue.close();
      return ok(status);
    } catch (error) {
      if (error instanceof UnusableBundleError) return refuse(revision, error.message);
      throw error;
    }
  }
  return {
    evaluate: async (input) => {
      if (active === undefined) return refuseForError('no policy is loaded');
      const { revision, queue } = active;
      try {
        return (await queue.ask(input.organization.id, { ask: 'evaluate', input })) as Decision;
      } catch (cause) {
        // What was not evaluated is nobody's decision: it is neither answered as one nor recorded.
        return cause instanceof NotEvaluatedError ? refuseForError(cause) : refuseForError(cause, revision);
      }
    },
    candidates: async (input) =>
      (await active?.queue.ask(organizationOf(input), { ask: 'candidates', input })) as
        | readonly string[]
        | undefined,
    data: () => active?.data,
    activate: (bundle) => {
      const activated = turn.then(() => replace(bundle));
      turn = activated.catch(() => undefined);
      return activated;
    },
    // No revision answers while its policy cannot be run: whoever sends questions must send them elsewhere.
    status: () => (active?.queue.isRunning() === false ? { ...status, revision: undefined } : status),
    close: async () => {
      await turn;
      await active?.queue.close();
    },
  };
}

const organizationSchema = z.object({ organization: z.object({ id: z.string() }) });

/** Whose turn it takes. The input is the search, which names it. */
function organizationOf(input: object): string {
  return organizationSchema.safeParse(input).data?.organization.id ?? '';
}
