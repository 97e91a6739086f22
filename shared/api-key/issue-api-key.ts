import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyDeps } from './api-key-deps.ts';
import type { ApiKeyFailure } from './api-key-failure.ts';
import { apiKeyId } from './api-key-id.ts';
import { toOwnerData } from './api-key-owner.ts';
import { sealSecret } from './api-key-secret.ts';
import { type ApiKeyEnvironment, type ApiKeyText, createApiKeyText, fingerprintOf } from './api-key-text.ts';

export type IssueApiKeyInput = {
  readonly organizationId: OrganizationId;
  readonly serviceAccountId: ServiceAccountId;
  readonly actor: Actor;
  readonly description: string;
  readonly environment: ApiKeyEnvironment;
  readonly expiresAt?: Date;
};

/** `text` is the secret: shown to the caller once and kept nowhere. */
export type IssuedApiKey = { readonly key: ApiKey; readonly text: ApiKeyText };

/** Issues a key of an active service account, with its event, in one transaction. */
export async function issueApiKey(
  deps: ApiKeyDeps,
  input: IssueApiKeyInput,
): Promise<Result<IssuedApiKey, ApiKeyFailure>> {
  const now = deps.clock.now();
  if (input.expiresAt !== undefined && input.expiresAt <= now) {
    return fail({ code: 'api_key.expiry_in_past', expiresAt: input.expiresAt.toISOString() });
  }
  const issued = createKey(deps, input, now);
  return withOrg(deps.pool, input.organizationId, async (tx) => {
    if (!(await deps.store.isOwnerActive(tx, issued.key.owner)))
      return fail({ code: 'api_key.owner_not_found' });
    await deps.store.add(tx, issued.key, issued.secret);
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.api-key.issued.v1',
      subject: issued.key.id,
      actor: input.actor,
      data: {
        fingerprint: fingerprintOf(issued.key.id, issued.key.lastFour),
        ...toOwnerData(issued.key.owner),
        ...(input.expiresAt === undefined ? {} : { expiresAt: input.expiresAt.toISOString() }),
      },
    });
    return ok({ key: issued.key, text: issued.text });
  });
}

function createKey(deps: ApiKeyDeps, input: IssueApiKeyInput, now: Date) {
  const id = apiKeyId.create(deps);
  const text = createApiKeyText(deps.random, id, { kind: 'sa', environment: input.environment });
  const key: ApiKey = {
    organizationId: input.organizationId,
    id,
    owner: { type: 'service_account', id: input.serviceAccountId },
    lastFour: text.slice(-4),
    description: input.description,
    reason: undefined,
    labels: {},
    scopes: undefined,
    allowedNetworks: undefined,
    status: 'active',
    createdAt: now,
    createdBy: input.actor.id,
    expiresAt: input.expiresAt,
    lastUsedAt: undefined,
    previousSecretUntil: undefined,
    disabledAt: undefined,
    disabledBy: undefined,
    revokedAt: undefined,
    revokedBy: undefined,
  };
  return { key, text, secret: sealSecret(deps.pepper, id, text) };
}
