import type { Context } from 'hono';
import { type PushHint, parsePushHint, verifyWebhookSignature } from '../../shared/declarative/index.ts';
import {
  findGitSource,
  type GitSource,
  type GitSourceStore,
  gitSourceId,
} from '../../shared/git-source/index.ts';
import { type AppEnv, networkOf, problemResponse } from '../../shared/http/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import { attemptFrom, type CallerLimits } from '../../shared/rate-limit/index.ts';
import { type AcceptPushDeps, acceptPush } from '../../shared/reconcile/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type ReceiveGithubDeliveryDeps = AcceptPushDeps & {
  readonly sources: GitSourceStore;
  readonly webhookSecrets: KeyRing;
  /** Stands in for sources that do not exist, so that their answer takes the same path. Its secret is nobody's. */
  readonly decoy: Signer;
  readonly limits: Pick<CallerLimits, 'failures'>;
  /** Sources that have signed of late. */
  readonly signers: { has(id: string): boolean; set(id: string, isSigner: true): unknown };
  readonly logger: Logger;
};

type Signer = { readonly id: string; readonly webhookSecretSealed: Uint8Array };

/** `X-GitHub-Delivery` is a GUID; other forges speak the same dialect with ids of their own. */
const deliveryForm = /^[\x21-\x7e]{1,128}$/;

/**
 * A forge says that something was pushed. The signature is judged before anything that is signed is looked at; who
 * cannot sign learns neither whether the source exists nor what it watches.
 */
export async function receiveGithubDelivery(
  deps: ReceiveGithubDeliveryDeps,
  c: Context<AppEnv>,
): Promise<Response> {
  const { body, requestId } = c.env.context;
  const sourceId = c.req.param('sourceId') ?? '';
  const attempt = await attemptFrom(deps.limits, limitedAs(deps, c, sourceId), {
    run: () => findSigner(deps, sourceId, { body, signature: c.req.header('x-hub-signature-256') }),
    hasFailed: (signer) => signer === undefined,
  });
  if ('admission' in attempt) {
    const { retryAfterSeconds } = attempt.admission;
    return problemResponse({ code: 'rate_limit.exceeded', retryAfterSeconds }, requestId);
  }
  const source = attempt.outcome;
  if (source === undefined) return problemResponse({ code: 'signature.invalid' }, requestId);
  deps.signers.set(source.id, true);
  const event = c.req.header('x-github-event');
  if (event === 'ping') return c.body(null, 204);
  const deliveryId = c.req.header('x-github-delivery') ?? '';
  if (!deliveryForm.test(deliveryId)) {
    const detail = 'X-GitHub-Delivery must be 1 to 128 visible ASCII characters';
    return problemResponse({ code: 'request.malformed', detail }, requestId);
  }
  if (event !== 'push') return ignored(c, deliveryId, `events other than "push" ask for nothing`);
  const hint = parsePushHint(body);
  if (!hint.ok)
    return problemResponse({ code: 'request.malformed', detail: hint.failure.message }, requestId);
  if (hint.value.ref !== source.ref) return ignored(c, deliveryId, `only ${source.ref} is watched`);
  return accept(deps, c, { sourceId: source.id, deliveryId, hint: hint.value });
}

/**
 * A forge sends for everybody from a few addresses, so that a stranger can have it fail at ours as often as he likes: a
 * source that has signed of late is counted apart. Who knows its id, which is no secret but is nowhere shown, could tell
 * that much by being refused otherwise.
 */
function limitedAs(
  { signers }: Pick<ReceiveGithubDeliveryDeps, 'signers'>,
  c: Context<AppEnv>,
  sourceId: string,
): string {
  const network = networkOf(c.env.context.clientAddress);
  return signers.has(sourceId) ? `${network} ${sourceId}` : network;
}

async function accept(
  deps: ReceiveGithubDeliveryDeps,
  c: Context<AppEnv>,
  delivery: { sourceId: GitSource['id']; deliveryId: string; hint: PushHint },
): Promise<Response> {
  const { sourceId, deliveryId, hint } = delivery;
  const outcome = await acceptPush(deps, delivery);
  const { requestId } = c.env.context;
  deps.logger.info({ requestId, sourceId, deliveryId, commit: hint.after, outcome }, 'Push received');
  return c.json({ deliveryId, status: outcome }, 202);
}

function ignored(c: Context<AppEnv>, deliveryId: string, reason: string): Response {
  return c.json({ deliveryId, status: 'ignored', reason }, 202);
}

/**
 * The source, if it signed. An unknown one, a missing signature and a wrong one all cost a lookup, an opened secret
 * and an HMAC, and end alike.
 */
async function findSigner(
  deps: ReceiveGithubDeliveryDeps,
  id: string,
  signed: { body: Uint8Array; signature: string | undefined },
): Promise<GitSource | undefined> {
  const source = gitSourceId.is(id)
    ? await findGitSource({ pool: deps.pool, store: deps.sources }, id)
    : undefined;
  const secret = await openSecret(deps, source ?? deps.decoy);
  // An absent signature is compared like a wrong one.
  const signature = signed.signature ?? `sha256=${'0'.repeat(64)}`;
  const verified = verifyWebhookSignature({ body: signed.body, signature, secrets: [secret] });
  return verified.ok ? source : undefined;
}

async function openSecret({ webhookSecrets }: ReceiveGithubDeliveryDeps, signer: Signer): Promise<string> {
  const opened = await webhookSecrets.open(signer.webhookSecretSealed, signer.id);
  invariant(opened.ok, `the webhook secret of ${signer.id} cannot be opened`);
  return opened.value.toString('utf8');
}
