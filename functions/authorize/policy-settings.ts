import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type PolicyBundleSource, parseTrustedKeys } from '../../shared/policy-bundle/index.ts';
import type { PolicySettings } from './start-policies.ts';

const loopback = ['127.0.0.1', 'localhost', '[::1]'];
const bundleUrl = z
  .url({ protocol: /^(file|https?|s3)$/, error: 'must be a file:, https: or s3: URL' })
  .refine((text) => {
    const { protocol, hostname, username, password } = new URL(text);
    const isProtected = protocol !== 'http:' || loopback.includes(hostname);
    return isProtected && username === '' && password === '';
  }, 'must hold no credentials, and be http: for this machine only');

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Whose policy is served. Without a URL it is the built-in one, which came with the code and needs no signature. */
export const policyConfig = {
  /** A bundle's directory or archive: `file:`, `https:` or `s3://bucket/key?endpoint=`, the latter two archives. */
  POLICY_BUNDLE_URL: bundleUrl.optional(),
  /** PEM file with the Ed25519 public keys of which one must have signed; demanded of what is not `file:`. */
  POLICY_BUNDLE_TRUSTED_KEYS_FILE: z.string().min(1).optional(),
  POLICY_BUNDLE_VERSION_MIN: z.coerce.number().int().min(0).default(0),
  POLICY_BUNDLE_ALLOW_ROLLBACK: flag.default(false),
  POLICY_BUNDLE_POLL_SECONDS: z.coerce.number().int().min(1).max(3_600).default(5),
  /** A bundle that is tried beside the one that answers. */
  POLICY_SHADOW_BUNDLE_URL: bundleUrl.optional(),
  /** Share of decisions that the shadow decides too, 0 to 1. */
  POLICY_SHADOW_SAMPLE_RATE: z.coerce.number().min(0).max(1).default(1),
};

type PolicyConfig = z.output<z.ZodObject<typeof policyConfig>>;

/** For the schema's `check`: whoever controls the way to a remote bundle would otherwise decide everything. */
export function requireTrust({ value, issues }: z.core.ParsePayload<PolicyConfig>): void {
  const urls = [value.POLICY_BUNDLE_URL, value.POLICY_SHADOW_BUNDLE_URL];
  const isRemote = urls.some((url) => url !== undefined && !url.startsWith('file:'));
  if (!isRemote || value.POLICY_BUNDLE_TRUSTED_KEYS_FILE !== undefined) return;
  const message = 'is required with a bundle that is not file:';
  issues.push({ code: 'custom', message, input: undefined, path: ['POLICY_BUNDLE_TRUSTED_KEYS_FILE'] });
}

/** Throws when the file of trusted keys cannot be read or is not one. */
export async function toPolicySettings(
  config: PolicyConfig,
  openSource: (url: string) => PolicyBundleSource,
): Promise<PolicySettings> {
  const { POLICY_BUNDLE_URL: url, POLICY_SHADOW_BUNDLE_URL: shadowUrl } = config;
  const builtIn = openSource(pathToFileURL(join('policies', 'bundle')).href);
  const trust = await readTrust(config.POLICY_BUNDLE_TRUSTED_KEYS_FILE);
  const versionMin = config.POLICY_BUNDLE_VERSION_MIN;
  const allowsRollback = config.POLICY_BUNDLE_ALLOW_ROLLBACK;
  // Any version may be tried, but what nobody trusted signed runs nowhere.
  const shadow = shadowUrl && {
    ...trust,
    source: openSource(shadowUrl),
    allowsRollback: true,
    sampleRate: config.POLICY_SHADOW_SAMPLE_RATE,
  };
  return {
    builtIn,
    ...(url && { custom: { ...trust, source: openSource(url), versionMin, allowsRollback } }),
    ...(shadow && { shadow }),
    intervalMs: config.POLICY_BUNDLE_POLL_SECONDS * 1_000,
  };
}

async function readTrust(file: string | undefined) {
  return file === undefined ? {} : { trustedKeys: parseTrustedKeys(await readFile(file, 'utf8')) };
}
