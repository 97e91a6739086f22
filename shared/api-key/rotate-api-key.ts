import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result, secondsAfter } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { type ApiKey, isUsable } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { FailureOf } from './api-key-failure.ts';
import type { ApiKeyId } from './api-key-id.ts';
import { toOwnerData } from './api-key-owner.ts';
import { sealSecret } from './api-key-secret.ts';
import type { LockedApiKey } from './api-key-store.ts';
import { type ApiKeyEnvironment, createApiKeyText, fingerprintOf } from './api-key-text.ts';
import { type BoundsFailure, type CredentialBounds, checkBounds } from './credential-bounds.ts';
import type { IssuedApiKey } from './issue-api-key.ts';
import { checkReach } from './key-scopes.ts';

export const overlapSecondsDefault = 86_400;
export const overlapSecondsMax = 30 * 86_400;

export type RotateApiKeyInput = {
  readonly organizationId: OrganizationId;
  readonly keyId: ApiKeyId;
  readonly actor: Actor;
  /** Of the credential that asks; absent: it is not narrowed. */
  readonly callerScopes?: readonly string[] | undefined;
  /** Of the same; absent: it works from anywhere and does not end. */
  readonly callerBounds?: CredentialBounds | undefined;
  /** Of a key whose own is not known; absent: live. Of any other it can but repeat it. */
  readonly environment?: ApiKeyEnvironment | undefined;
  /** How long the secret before goes on working beside the new one; 0: it ends now, and so does one before it. */
  readonly overlapSeconds: number;
  readonly reason?: string | undefined;
};

export type RotateFailure =
  | FailureOf<'not_found' | 'not_active' | 'not_yours' | 'overlap_running' | 'overlap_unavailable'>
  | FailureOf<'environment_fixed' | 'scope_beyond_caller'>
  | BoundsFailure;

/**
 * Gives a key a new secret; id, owner, scopes and all else stay. Of several rotations at once with an overlap the
 * first wins and the others are refused, since a third live secret would be one that nobody keeps account of. With
 * no overlap each ends all secrets before it, so the last one stands.
 */
export async function rotateApiKey(
  deps: ApiKeyDeps,
  input: RotateApiKeyInput,
): Promise<Result<IssuedApiKey, RotateFailure>> {
  const { organizationId, keyId } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const now = deps.clock.now();
    const locked = await deps.store.lock(tx, keyId);
    if (locked === undefined) return fail({ code: 'api_key.not_found' });
    const refused = findRefusal(locked, input, now);
    if (refused !== undefined) return fail(refused);
    const text = createNextText(deps, locked.key, input);
    const rotated = await deps.store.rotate(tx, {
      id: keyId,
      secret: await sealSecret(deps.pepper, keyId, text),
      lastFour: text.slice(-4),
      previousUntil: input.overlapSeconds === 0 ? undefined : secondsAfter(now, input.overlapSeconds),
    });
    await deps.events.record(tx, organizationId, {
      type: 'uos.api-key.rotated.v1',
      subject: keyId,
      actor: input.actor,
      data: toEventData(locked.key, rotated, input),
    });
    return ok({ key: rotated, text });
  });
}

/** Threat: a key for tests that comes back as one that scanners, logs and people take for a live one, or the reverse. */
function createNextText(
  { random }: ApiKeyDeps,
  { id, owner, environment }: ApiKey,
  input: RotateApiKeyInput,
) {
  const kind = owner.type === 'user' ? 'pk' : 'sa';
  return createApiKeyText(random, id, { kind, environment: environment ?? input.environment ?? 'live' });
}

function findRefusal(
  { key, isSealed }: LockedApiKey,
  { actor, callerScopes, callerBounds, environment, overlapSeconds }: RotateApiKeyInput,
  now: Date,
): RotateFailure | undefined {
  const { owner, previousSecretUntil } = key;
  if (owner.type === 'user' && (actor.type !== 'user' || actor.id !== owner.id))
    return { code: 'api_key.not_yours' };
  if (!isUsable(key, now))
    return { code: 'api_key.not_active', status: key.status === 'active' ? 'expired' : key.status };
  const reach = checkReach(key.scopes, callerScopes);
  if (!reach.ok) return reach.failure;
  const bounds = checkBounds(key, callerBounds ?? {});
  if (!bounds.ok) return bounds.failure;
  if (key.environment !== undefined && environment !== undefined && environment !== key.environment)
    return { code: 'api_key.environment_fixed', environment: key.environment };
  if (overlapSeconds === 0) return undefined;
  if (!isSealed) return { code: 'api_key.overlap_unavailable' };
  if (previousSecretUntil !== undefined && now < previousSecretUntil)
    return { code: 'api_key.overlap_running', until: previousSecretUntil };
  return undefined;
}

function toEventData(before: ApiKey, after: ApiKey, { reason }: RotateApiKeyInput) {
  return {
    fingerprint: fingerprintOf(after.id, after.lastFour),
    previousFingerprint: fingerprintOf(before.id, before.lastFour),
    ...toOwnerData(after.owner),
    ...(after.previousSecretUntil && { previousUntil: after.previousSecretUntil.toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
}
