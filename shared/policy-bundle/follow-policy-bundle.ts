import { type PolicyBundle, type PolicyBundleFailure, parsePolicyBundle } from '../authorization/index.ts';
import { type Clock, fail, ok, type Result } from '../kernel/index.ts';
import { type TrustedKeys, verifyManifest } from './bundle-signature.ts';
import type { PolicyBundleRefusal, PublishedBundleFiles } from './policy-bundle-files.ts';
import { openContent, type PolicyBundleContent, type PolicyBundleSource } from './policy-bundle-source.ts';

export type FollowPolicyBundleDeps = {
  readonly source: PolicyBundleSource;
  readonly engine: { activate(bundle: PolicyBundle): Promise<Result<unknown, PolicyBundleFailure>> };
  readonly clock: Clock;
};

export type FollowPolicyBundleOptions = {
  /** Given, only a bundle that one of them signed is served. */
  readonly trustedKeys?: TrustedKeys;
  /** Of the oldest version served, whatever was served before; what a new instance knows of the past. */
  readonly versionMin?: number;
  /** Serve an older version than the one served now. */
  readonly allowsRollback?: boolean;
};

export type ServedBundle = {
  readonly revision: string;
  readonly version: number | undefined;
  /** Id of the trusted key. */
  readonly signedBy: string | undefined;
  readonly activatedAt: Date;
};

export type FollowStatus = {
  readonly source: string;
  readonly active: ServedBundle | undefined;
  /** `active`: what the source has is what answers. */
  readonly lastAttempt:
    | { readonly at: Date; readonly outcome: 'active' | 'refused' | 'unreachable' }
    | undefined;
  readonly lastFailure: { readonly at: Date; readonly failure: PolicyBundleRefusal } | undefined;
};

export type PolicyBundleFollower = {
  /**
   * Looks at the source once. `activated` when another bundle answers from now on; a failure when the source has
   * none, or none that may be served: then the last good one stays. What was refused for what it is, is refused again
   * only when it has changed; what could not be started is tried again, at the next look and then ever more seldom. Not
   * to be called again before it has resolved.
   */
  check(): Promise<Result<'activated' | 'unchanged', PolicyBundleRefusal>>;
  status(): FollowStatus;
};

/** Keeps an engine at what a source has published, as far as it is signed, not older, and works. */
export function followPolicyBundle(
  deps: FollowPolicyBundleDeps,
  options: FollowPolicyBundleOptions = {},
): PolicyBundleFollower {
  let tag: string | undefined;
  let verdict: 'active' | 'refused' = 'refused';
  /** Of what `tag` names: it may start the next time. */
  let putOff: { readonly failures: number; looksLeft: number } | undefined;
  let status: FollowStatus = {
    source: deps.source.location,
    active: undefined,
    lastAttempt: undefined,
    lastFailure: undefined,
  };
  const note = (outcome: 'active' | 'refused' | 'unreachable', failure?: PolicyBundleRefusal) => {
    const at = deps.clock.now();
    const lastFailure = failure === undefined ? status.lastFailure : { at, failure };
    status = { ...status, lastAttempt: { at, outcome }, lastFailure };
  };
  return {
    status: () => status,
    check: async () => {
      const isDueAgain = putOff?.looksLeft === 0;
      const fetched = await deps.source.fetch(isDueAgain ? undefined : tag);
      if (!fetched.ok) {
        note('unreachable', fetched.failure);
        return fetched;
      }
      if (fetched.value.status === 'unchanged') {
        if (putOff !== undefined) putOff.looksLeft--;
        note(verdict);
        return ok('unchanged');
      }
      const { tag: offered, content } = fetched.value;
      const served = await serve(deps, options, content, status.active);
      const failures = (offered === tag ? (putOff?.failures ?? 0) : 0) + 1;
      putOff = isPassing(served) ? { failures, looksLeft: looksAfter(failures) } : undefined;
      tag = offered;
      verdict = served.ok ? 'active' : 'refused';
      if (served.ok) status = { ...status, active: served.value };
      note(verdict, served.ok ? undefined : served.failure);
      return served.ok ? ok('activated') : served;
    },
  };
}

function isPassing(served: Result<unknown, PolicyBundleRefusal>): boolean {
  return !served.ok && served.failure.code === 'policy_bundle.not_started';
}

const looksLeftMax = 63;

/** A bundle that never starts takes a core for as long as it is tried: each time twice as long after the time before. */
function looksAfter(failures: number): number {
  return Math.min(2 ** (failures - 1) - 1, looksLeftMax);
}

async function serve(
  deps: FollowPolicyBundleDeps,
  options: FollowPolicyBundleOptions,
  content: PolicyBundleContent,
  active: ServedBundle | undefined,
): Promise<Result<ServedBundle, PolicyBundleRefusal>> {
  const files = await openContent(content);
  if (!files.ok) return files;
  const admitted = admit(files.value, options.trustedKeys);
  if (!admitted.ok) return admitted;
  const { bundle, signedBy } = admitted.value;
  const refusal = refuseOld(bundle.manifest, options, active);
  if (refusal !== undefined) return fail(refusal);
  const activated = await activate(deps, bundle);
  if (!activated.ok) return activated;
  const { revision, version } = bundle.manifest;
  return ok({ revision, version, signedBy, activatedAt: deps.clock.now() });
}

/** What an engine throws is not about the bundle: its thread ended, or took too long to start. */
async function activate(
  { engine }: FollowPolicyBundleDeps,
  bundle: PolicyBundle,
): Promise<Result<unknown, PolicyBundleRefusal>> {
  try {
    return await engine.activate(bundle);
  } catch (error) {
    return fail({
      code: 'policy_bundle.not_started',
      detail: error instanceof Error ? error.message : `${error}`,
    });
  }
}

/** The signature before all else: of what nobody trusted wrote, only the manifest's bytes are looked at. */
export function admit(
  files: PublishedBundleFiles,
  trustedKeys: TrustedKeys | undefined,
): Result<{ bundle: PolicyBundle; signedBy: string | undefined }, PolicyBundleRefusal> {
  const signed =
    trustedKeys === undefined ? ok(undefined) : verifyManifest(files.manifest, files.signature, trustedKeys);
  if (!signed.ok) return signed;
  const bundle = parsePolicyBundle(files);
  return bundle.ok ? ok({ bundle: bundle.value, signedBy: signed.value }) : bundle;
}

/** Threat: someone who cannot sign replays an old bundle, signed once, in which he was still permitted. */
function refuseOld(
  { revision, version = 0 }: PolicyBundle['manifest'],
  { versionMin = 0, allowsRollback = false }: FollowPolicyBundleOptions,
  active: ServedBundle | undefined,
): PolicyBundleRefusal | undefined {
  const served = active?.version ?? 0;
  const floor = allowsRollback ? versionMin : Math.max(versionMin, served);
  if (version < floor) {
    return { code: 'policy_bundle.too_old', detail: `version ${version} is older than ${floor}` };
  }
  if (allowsRollback || served === 0 || version !== served || revision === active?.revision) return undefined;
  const detail = `version ${version} is served already, as revision ${active?.revision}`;
  return { code: 'policy_bundle.version_reused', detail };
}
