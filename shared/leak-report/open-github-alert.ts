import { verify } from 'node:crypto';
import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { GithubKeyFailure, GithubKeys } from './github-keys.ts';

/** A text that GitHub found in public, and the name it has for texts of its form. */
export type GithubMatch = { readonly token: string; readonly type: string };

export type GithubAlertFailure =
  | { readonly code: 'github_alert.unsigned' }
  | { readonly code: 'github_alert.malformed' }
  | Extract<GithubKeyFailure, { code: 'github_key.unavailable' }>;

export type SignedAlert = {
  /** The bytes as they came: another spelling of the same JSON has another signature. */
  readonly body: Uint8Array;
  /** `Github-Public-Key-Identifier` */
  readonly identifier: string | undefined;
  /** `Github-Public-Key-Signature` */
  readonly signature: string | undefined;
};

export const githubMatchesMax = 5_000;

const matchesSchema = z
  .array(z.object({ token: z.string(), type: z.string().max(256) }))
  .min(1)
  .max(githubMatchesMax);

/**
 * The matches of an alert of GitHub's secret scanning partner program, whose signature (ECDSA over P-256 with SHA-256,
 * DER in Base64) is checked before anything of it is read.
 */
export async function openGithubAlert(
  keys: GithubKeys,
  { body, identifier, signature }: SignedAlert,
): Promise<Result<readonly GithubMatch[], GithubAlertFailure>> {
  const unsigned = fail({ code: 'github_alert.unsigned' } as const);
  if (identifier === undefined || !/^[\w-]{1,128}$/.test(identifier)) return unsigned;
  if (signature === undefined || !/^[A-Za-z0-9+/]{64,128}={0,2}$/.test(signature)) return unsigned;
  const key = await keys.find(identifier);
  if (!key.ok) return key.failure.code === 'github_key.unavailable' ? fail(key.failure) : unsigned;
  if (!verify('sha256', body, key.value, Buffer.from(signature, 'base64'))) return unsigned;
  return parseMatches(body);
}

function parseMatches(body: Uint8Array): Result<readonly GithubMatch[], GithubAlertFailure> {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const matches = matchesSchema.safeParse(json);
    if (matches.success) return ok(matches.data);
  } catch {
    // Not JSON in UTF-8: as malformed as JSON of another form.
  }
  return fail({ code: 'github_alert.malformed' });
}
