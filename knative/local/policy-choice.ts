import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { policyConfig, requireTrust, toPolicySettings } from '../../functions/authorize/policy-settings.ts';
import { createBoundedPolicyEngine } from '../../shared/authorization/index.ts';
import { systemClock as clock } from '../../shared/kernel/index.ts';
import { type FollowPolicyBundleOptions, followPolicyBundle } from '../../shared/policy-bundle/index.ts';
import { openPolicyBundleSource } from '../../shared/policy-bundle/open-policy-bundle-source.ts';
import { CommandError, toPath, UsageError } from './command-line.ts';

/** As typed: files and folders are meant from where the person stands. */
export type PolicyChoice = {
  readonly policy: string | undefined;
  readonly shadow: string | undefined;
  readonly keys: string | undefined;
};

type Followed = Parameters<typeof followPolicyBundle>[0]['source'];

const flagOf: Readonly<Record<string, string>> = {
  POLICY_BUNDLE_URL: '--policy',
  POLICY_SHADOW_BUNDLE_URL: '--shadow',
  POLICY_BUNDLE_TRUSTED_KEYS_FILE: '--policy-keys',
};

/**
 * The settings of the local platform for the policies that somebody chose. Each is looked at as authorize will, so that
 * one it would not serve is told in words and at once, and not by a function that never gets ready.
 */
export async function choosePolicies(choice: PolicyChoice): Promise<Record<string, string>> {
  const { policy, shadow, keys } = choice;
  if (keys !== undefined && policy === undefined && shadow === undefined)
    throw new UsageError('--policy-keys says who must have signed --policy or --shadow: give one of them');
  const env = {
    ...(policy === undefined ? {} : { POLICY_BUNDLE_URL: toUrl(policy, '--policy') }),
    ...(shadow === undefined ? {} : { POLICY_SHADOW_BUNDLE_URL: toUrl(shadow, '--shadow') }),
    ...(keys === undefined ? {} : { POLICY_BUNDLE_TRUSTED_KEYS_FILE: toPath(keys) }),
  };
  const { custom, shadow: tried } = await readSettings(env);
  if (custom !== undefined) await requireServable('--policy', custom);
  if (tried !== undefined) await requireServable('--shadow', tried);
  const settings = Object.entries(env).map(
    ([name, value]) => [name.toLowerCase().replaceAll('_', '-'), value] as const,
  );
  return Object.fromEntries(settings);
}

function toUrl(text: string, flag: string): string {
  // The S3 server of this machine is not there yet, and its address is another at each start.
  if (text.startsWith('s3:')) throw new UsageError(`${flag} takes a file, a folder or an https: URL here`);
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : pathToFileURL(toPath(text)).href;
}

async function readSettings(env: Readonly<Record<string, string>>) {
  const parsed = z.object(policyConfig).check(requireTrust).safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${flagOf[path.join('.')]} ${message}`);
    throw new UsageError(faults.join('\n'));
  }
  const openObjects = () => {
    throw new Error('no address of objects comes this far');
  };
  return toPolicySettings(parsed.data, (url) => openPolicyBundleSource({ openObjects }, url)).catch(
    (error: unknown) => {
      throw new CommandError(`--policy-keys: ${error instanceof Error ? error.message : error}`);
    },
  );
}

/** In a thread, as there: rules that are not ours may never end. */
async function requireServable(
  flag: string,
  { source, ...options }: FollowPolicyBundleOptions & { readonly source: Followed },
): Promise<void> {
  const engine = createBoundedPolicyEngine({ clock });
  try {
    const checked = await followPolicyBundle({ clock, engine, source }, options).check();
    // That no thread started now says nothing about the bundle: authorize tries again.
    if (checked.ok || checked.failure.code === 'policy_bundle.not_started') return;
    const { code, detail } = checked.failure;
    throw new CommandError(`${flag}: ${source.location} cannot be served: ${detail} (${code})`);
  } finally {
    await engine.close();
  }
}
