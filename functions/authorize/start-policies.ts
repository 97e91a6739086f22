import {
  type BoundedPolicyEngineOptions,
  createBoundedPolicyEngine,
  createPolicyEngine,
  type PolicyEngine,
  type ServedPolicyEngine,
} from '../../shared/authorization/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import {
  type FollowPolicyBundleOptions,
  followPolicyBundle,
  type PolicyBundleSource,
} from '../../shared/policy-bundle/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import type { PolicyReport } from './policy-status.ts';
import { createShadowPolicy, type ShadowPolicyOptions } from './shadow-policy.ts';
import { watchPolicyBundle } from './watch-policy-bundle.ts';

export type StartPoliciesDeps = { readonly clock: Clock; readonly random: Random; readonly logger: Logger };

type FollowedBundle = FollowPolicyBundleOptions & { readonly source: PolicyBundleSource };

export type PolicySettings = {
  readonly builtIn: PolicyBundleSource;
  /** Answers in place of the built-in one. */
  readonly custom?: FollowedBundle;
  /** Is tried beside the one that answers; no answer depends on it. */
  readonly shadow?: FollowedBundle & ShadowPolicyOptions;
  readonly intervalMs?: number;
  /** Of policies that are not ours. */
  readonly bounds?: BoundedPolicyEngineOptions;
};

export type Policies = {
  /** Answers questions by the live bundle, and offers each decision to the shadow. */
  readonly engine: ServedPolicyEngine;
  /** Judges who may ask about others. The built-in one always: rules for an outside world do not know our callers. */
  readonly ownEngine: PolicyEngine;
  report(): PolicyReport;
  close(): Promise<void>;
};

/** Loads the bundles and keeps following their sources. Waits for the one that answers, not for the shadow. */
export async function startPolicies(deps: StartPoliciesDeps, settings: PolicySettings): Promise<Policies> {
  const { builtIn, custom = { source: builtIn } } = settings;
  const own = createPolicyEngine(deps);
  // Rules that are not ours may never end: they run where they can be stopped.
  const bounded = settings.custom && createBoundedPolicyEngine(deps, settings.bounds);
  const engine = bounded ?? own;
  const live = watch(deps, { engine, name: 'Policy bundle' }, custom, settings);
  await live.firstLook;
  const ownEngine = settings.custom === undefined ? own : await loadOwn(deps, own, builtIn);
  const shadow = settings.shadow && startShadow(deps, settings.shadow, settings);
  return {
    engine: shadow === undefined ? engine : shadow.observe(engine),
    ownEngine,
    report: () => ({ engine: engine.status(), live: live.status(), shadow: shadow?.report() }),
    close: async () => {
      await Promise.all([live.close(), shadow?.close()]);
      await bounded?.close();
    },
  };
}

function watch(
  deps: StartPoliciesDeps,
  into: { readonly engine: Parameters<typeof followPolicyBundle>[0]['engine']; readonly name: string },
  { source, ...options }: FollowedBundle,
  { intervalMs }: PolicySettings,
) {
  const follower = followPolicyBundle({ ...deps, engine: into.engine, source }, options);
  return watchPolicyBundle(
    { ...deps, follower },
    { name: into.name, ...(intervalMs === undefined ? {} : { intervalMs }) },
  );
}

/** It came with the code: that it does not work ends the start. */
async function loadOwn(
  deps: StartPoliciesDeps,
  engine: PolicyEngine,
  source: PolicyBundleSource,
): Promise<PolicyEngine> {
  const loaded = await followPolicyBundle({ ...deps, engine, source }).check();
  if (!loaded.ok) throw new Error('The built-in policy bundle is not usable', { cause: loaded.failure });
  return engine;
}

function startShadow(
  deps: StartPoliciesDeps,
  shadow: NonNullable<PolicySettings['shadow']>,
  settings: PolicySettings,
) {
  const tried = createBoundedPolicyEngine(deps, settings.bounds);
  const bundle = watch(deps, { engine: tried, name: 'Shadow policy bundle' }, shadow, settings);
  const policy = createShadowPolicy({ ...deps, engine: tried }, shadow);
  const observe = (engine: ServedPolicyEngine): ServedPolicyEngine => ({
    ...engine,
    evaluate: async (input) => {
      const decision = await engine.evaluate(input);
      policy.offer(input, decision);
      return decision;
    },
  });
  return {
    observe,
    report: () => ({ bundle: bundle.status(), report: policy.report() }),
    close: async () => {
      await bundle.close();
      await tried.close();
    },
  };
}
