import { z } from 'zod';
import { type Clock, createRecentMemo, fail, ok, type Result } from '../kernel/index.ts';
import { type Decision, parseDecision, refuseForError } from './decision.ts';
import type { PolicyBundle, PolicyBundleFailure } from './policy-bundle.ts';
import type { PolicyInput } from './policy-input.ts';
import { type CompiledPolicy, compileWasmPolicy, type WasmPolicy } from './wasm-policy.ts';

export type PolicyStatus = {
  /** Revision that answers now; undefined until a first bundle has been activated. */
  readonly revision: string | undefined;
  readonly activatedAt: Date | undefined;
  /** The last bundle that was refused, if that was after the last activation. */
  readonly refused?: { readonly revision: string; readonly failure: PolicyBundleFailure; readonly at: Date };
};

export type PolicyEngine = {
  /** Never throws: whatever is not a well-formed decision is a refusal with code `error`. Synchronous. */
  evaluate(input: PolicyInput): Decision;
  /**
   * What a search has to try, as the served bundle has it: each once, in ascending order. Undefined when the bundle
   * does not say, or none is served. Throws when it gives no list of strings.
   */
  candidates(input: object): readonly string[] | undefined;
  /** The data of the served bundle, which is the same for every organization. */
  data(): unknown;
  /** Replaces the policy between two evaluations. A bundle that does not work is refused and the last good one stays. */
  activate(bundle: PolicyBundle): Promise<Result<PolicyStatus, PolicyBundleFailure>>;
  status(): PolicyStatus;
};

/** An engine as those see it who wait for its answers: in process, or in a thread (`createBoundedPolicyEngine`). */
export type ServedPolicyEngine = Omit<PolicyEngine, 'evaluate' | 'candidates'> & {
  evaluate(input: PolicyInput): Decision | Promise<Decision>;
  candidates(input: object): readonly string[] | undefined | Promise<readonly string[] | undefined>;
};

/** A question with its facts is 2 to 4 KB; what is far above that is an attack or a mistake, and slow. */
const inputCharactersMax = 1_048_576;

type Active = Pick<CompiledPolicy, 'instantiate' | 'data'> & {
  readonly revision: string;
  policy: WasmPolicy | undefined;
};

export function createPolicyEngine(deps: { clock: Clock }): PolicyEngine {
  let active: Active | undefined;
  let status: PolicyStatus = { revision: undefined, activatedAt: undefined };
  // One at a time, so that of two bundles the one that was offered last is the one that stays.
  let turn: Promise<unknown> = Promise.resolve();
  const replace = async (bundle: PolicyBundle): Promise<Result<PolicyStatus, PolicyBundleFailure>> => {
    const { revision } = bundle.manifest;
    const prepared = await prepare(bundle);
    if (!prepared.ok) {
      status = { ...status, refused: { revision, failure: prepared.failure, at: deps.clock.now() } };
      return prepared;
    }
    active = prepared.value;
    status = { revision, activatedAt: deps.clock.now() };
    return ok(status);
  };
  return {
    evaluate: (input) =>
      active === undefined ? refuseForError('no policy is loaded') : decide(active, input),
    candidates: (input) => active && listCandidates(active, input),
    data: () => active?.data,
    activate: (bundle) => {
      const activated = turn.then(() => replace(bundle));
      turn = activated;
      return activated;
    },
    status: () => status,
  };
}

function decide(active: Active, input: PolicyInput): Decision {
  try {
    const { bindings, ...question } = input;
    const known = bindingTexts.get(bindings);
    const bound = known ?? JSON.stringify(bindings);
    const json = JSON.stringify(question);
    if (bound.length + json.length > inputCharactersMax)
      return refuseForError('the input is too large', active.revision);
    active.policy ??= active.instantiate();
    const answer =
      known === undefined
        ? active.policy.evaluate(`{"bindings":${bound},${json.slice(1)}`)
        : active.policy.evaluateWith({ key: bindings, json: bound }, json);
    if (known === undefined) bindingTexts.set(bindings, bound);
    const decision = parseDecision(answer, active.revision);
    return decision ?? refuseForError('the policy gave no decision', active.revision);
  } catch (cause) {
    // The guest stopped half-way, its heap is in an unknown state: the next question gets a new instance.
    active.policy = undefined;
    return refuseForError(cause, active.revision);
  }
}

/**
 * Of bindings asked about before. They are most of the text, and the cache of facts hands out the same ones until they
 * change: written once, and from the second question on parsed once.
 */
const bindingTexts = createRecentMemo<PolicyInput['bindings'], string>();

const candidatesSchema = z.tuple([z.object({ result: z.array(z.string()) })]);

function listCandidates(active: Active, input: object): readonly string[] | undefined {
  active.policy ??= active.instantiate();
  if (active.policy.candidates === undefined) return undefined;
  try {
    const [{ result }] = candidatesSchema.parse(active.policy.candidates(JSON.stringify(input)));
    return [...new Set(result)].sort();
  } catch (cause) {
    active.policy = undefined;
    throw new Error(`The policy ${active.revision} gave no list of candidates`, { cause });
  }
}

/** Tried with an empty question before it may answer a real one: a policy that permits nothing in particular is broken. */
async function prepare(bundle: PolicyBundle): Promise<Result<Active, PolicyBundleFailure>> {
  const { revision } = bundle.manifest;
  try {
    const { instantiate, data } = await compileWasmPolicy(bundle);
    const policy = instantiate();
    const probe = parseDecision(policy.evaluate('{}'), revision);
    if (probe === undefined) return unusable('it gives no decision on an empty question');
    if (probe.decision) return unusable('it permits an empty question');
    return ok({ revision, instantiate, data, policy });
  } catch (error) {
    // The SDK throws bare strings and objects too.
    return unusable(error instanceof Error ? error.message : JSON.stringify(error));
  }
}

function unusable(detail: string) {
  return fail({ code: 'policy_bundle.unusable', detail });
}
