import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { fail, invariant, ok, type Result } from '../kernel/index.ts';

export type SignatureInvalid = { readonly code: 'webhook.signature_invalid' };
export type WebhookMalformed = { readonly code: 'webhook.malformed'; readonly message: string };

const signatureForm = /^sha256=([0-9a-f]{64})$/;

/**
 * GitHub's `X-Hub-Signature-256`: HMAC-SHA256 over the raw body. SHA-1 (`X-Hub-Signature`) is refused. More than one
 * secret may be valid while one replaces the other; all are tried, so that the time taken does not tell which fits.
 * The signature carries no time: the caller must drop deliveries it has seen (`X-GitHub-Delivery`).
 */
export function verifyWebhookSignature(input: {
  body: Uint8Array;
  signature: string | undefined;
  secrets: readonly string[];
}): Result<undefined, SignatureInvalid> {
  invariant(
    input.secrets.every((secret) => secret.length > 0),
    'a webhook secret must not be empty',
  );
  const given = signatureForm.exec(input.signature ?? '')?.[1];
  if (given === undefined) return fail({ code: 'webhook.signature_invalid' });
  const digest = Buffer.from(given, 'hex');
  const matches = input.secrets.filter((secret) => timingSafeEqual(digest, toDigest(secret, input.body)));
  return matches.length > 0 ? ok(undefined) : fail({ code: 'webhook.signature_invalid' });
}

function toDigest(secret: string, body: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}

/** What the header must hold for this body; for the local platform and tests, which play the forge. */
export function signWebhook(secret: string, body: Uint8Array): string {
  return `sha256=${toDigest(secret, body).toString('hex')}`;
}

/** Why to look, never what to believe: the ref and commit are asked of the Git server itself. */
export type PushHint = { readonly repository: string; readonly ref: string; readonly after: string };

const commitSchema = z.string().regex(/^[0-9a-f]{40}$/);
// A loose schema: forges add fields to the payload all the time.
const pushSchema = z.object({
  ref: z
    .string()
    .max(255)
    .regex(/^refs\/(?:heads|tags)\/[^\s\p{Cc}]+$/u),
  after: commitSchema,
  repository: z.object({
    full_name: z
      .string()
      .max(255)
      .regex(/^[\w.-]+(?:\/[\w.-]+)+$/),
  }),
});

export function parsePushHint(body: Uint8Array): Result<PushHint, WebhookMalformed> {
  const parsed = pushSchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'body').join(', ');
    return fail({ code: 'webhook.malformed', message: `not a push payload, look at: ${fields}` });
  }
  const { ref, after, repository } = parsed.data;
  return ok({ repository: repository.full_name, ref, after });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
