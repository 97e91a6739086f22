import { z } from 'zod';
import { apiKeyId } from '../api-key/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { organizationId } from '../organization/index.ts';

/** That a key was presented and proven, to the minute. */
export type ApiKeyUse = { readonly keyId: string; readonly usedAt: Date };

export const apiKeyUsedTopic = 'api-key.used';
export const apiKeyUsedType = 'uos.api-key.used.v1';

/** Of one event: about 35 KB, below what an event function takes. */
export const usesMax = 500;

const usedEvent = z.object({
  orgid: z.string().refine(organizationId.is),
  data: z.strictObject({
    uses: z
      .array(z.strictObject({ keyId: z.string().refine(apiKeyId.is), usedAt: z.iso.datetime() }))
      .min(1)
      .max(usesMax),
  }),
});

/** Undefined for an event of another form, which no retry can help. */
export function parseApiKeyUses(
  event: unknown,
): { organizationId: OrganizationId; uses: readonly ApiKeyUse[] } | undefined {
  const parsed = usedEvent.safeParse(event);
  if (!parsed.success) return undefined;
  const { orgid, data } = parsed.data;
  const uses = data.uses.map(({ keyId, usedAt }) => ({ keyId, usedAt: new Date(usedAt) }));
  return { organizationId: organizationId.require(orgid), uses };
}
