import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Labels, ServiceAccountId } from '../service-account/index.ts';
import type { Network } from './allowed-networks.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { FailureOf } from './api-key-failure.ts';
import { apiKeyId } from './api-key-id.ts';
import { type ApiKeyOwner, toOwnerData, type UserId } from './api-key-owner.ts';
import { sealSecret } from './api-key-secret.ts';
import { type ApiKeyEnvironment, type ApiKeyText, createApiKeyText, fingerprintOf } from './api-key-text.ts';
import { type BoundsFailure, type CredentialBounds, checkBounds } from './credential-bounds.ts';
import type { CheckedScopes } from './key-scopes.ts';

type NewApiKey = {
  readonly organizationId: OrganizationId;
  readonly description: string;
  readonly environment: ApiKeyEnvironment;
  /** Why it is made. */
  readonly reason?: string | undefined;
  readonly labels?: Labels | undefined;
  /** Absent: from anywhere. */
  readonly allowedNetworks?: readonly Network[] | undefined;
  readonly expiresAt?: Date | undefined;
  /** Of the credential that asks; absent: it works from anywhere and does not end. */
  readonly callerBounds?: CredentialBounds | undefined;
};

export type IssueApiKeyInput = NewApiKey & {
  readonly serviceAccountId: ServiceAccountId;
  readonly actor: Actor;
  /** Absent: the key may do all that its account may. */
  readonly scopes?: CheckedScopes | undefined;
};

/** Whoever asks is the owner: nobody can make a key that acts as somebody else. */
export type IssuePersonalApiKeyInput = NewApiKey & {
  readonly actor: { readonly type: 'user'; readonly id: UserId };
  readonly scopes: CheckedScopes;
};

/** `text` is the secret: shown to the caller once and kept nowhere. */
export type IssuedApiKey = { readonly key: ApiKey; readonly text: ApiKeyText };

type Outcome = Promise<
  Result<
    IssuedApiKey,
    FailureOf<'owner_not_found' | 'organization_suspended' | 'expiry_in_past'> | BoundsFailure
  >
>;

/** Issues a key of an active service account, with its event, in one transaction. */
export function issueApiKey(deps: ApiKeyDeps, input: IssueApiKeyInput): Outcome {
  return issue(deps, input, { type: 'service_account', id: input.serviceAccountId });
}

/** Issues a key that acts as the person who asks, within its scopes and that person's rights at each use. */
export function issuePersonalApiKey(deps: ApiKeyDeps, input: IssuePersonalApiKeyInput): Outcome {
  return issue(deps, input, input.actor);
}

type IssueInput = Omit<IssueApiKeyInput, 'serviceAccountId'>;

async function issue(deps: ApiKeyDeps, input: IssueInput, owner: ApiKeyOwner): Outcome {
  const { expiresAt } = input;
  if (expiresAt !== undefined && expiresAt <= deps.clock.now())
    return fail({ code: 'api_key.expiry_in_past', expiresAt: expiresAt.toISOString() });
  const bounds = checkBounds(input, input.callerBounds ?? {});
  if (!bounds.ok) return bounds;
  const id = apiKeyId.create(deps);
  const kind = owner.type === 'user' ? 'pk' : 'sa';
  const text = createApiKeyText(deps.random, id, { kind, environment: input.environment });
  const key = createKey(deps, input, { id, owner, lastFour: text.slice(-4) });
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    const fault = await deps.store.findOwnerFault(tx, owner, key.createdAt);
    if (fault !== undefined) return fail({ code: fault });
    await deps.store.add(tx, key, await sealSecret(deps.pepper, id, text));
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.api-key.issued.v1',
      subject: id,
      actor: input.actor,
      data: toEventData(key),
    });
    return ok({ key, text });
  });
}

function createKey(
  deps: ApiKeyDeps,
  input: IssueInput,
  own: Pick<ApiKey, 'id' | 'owner' | 'lastFour'>,
): ApiKey {
  return {
    ...own,
    organizationId: input.organizationId,
    environment: input.environment,
    description: input.description,
    reason: input.reason,
    labels: input.labels ?? {},
    scopes: input.scopes,
    allowedNetworks: input.allowedNetworks,
    status: 'active',
    createdAt: deps.clock.now(),
    createdBy: input.actor.id,
    expiresAt: input.expiresAt,
    lastUsedAt: undefined,
    previousSecretUntil: undefined,
    disabledAt: undefined,
    disabledBy: undefined,
    revokedAt: undefined,
    revokedBy: undefined,
  };
}

/** Networks are not named: an address of somebody's home would stand in the log for ever. */
function toEventData({ id, lastFour, owner, scopes, allowedNetworks, expiresAt, reason }: ApiKey) {
  return {
    fingerprint: fingerprintOf(id, lastFour),
    ...toOwnerData(owner),
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    ...(allowedNetworks === undefined ? {} : { allowedNetworks: allowedNetworks.length }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(reason === undefined ? {} : { reason }),
  };
}
