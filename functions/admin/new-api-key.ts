import type { z } from 'zod';
import { type CredentialBounds, type Network, parseNetwork } from '../../shared/api-key/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import type { newApiKeyBody } from './api-key.schema.ts';

type Body = z.output<z.ZodObject<typeof newApiKeyBody>>;

/** What the use cases want of a body that was checked, and of the credential that asks. */
export function toNewApiKey(organizationId: OrganizationId, body: Body, callerBounds: CredentialBounds) {
  const { description, reason, labels, environment, allowedNetworks, expiresAt } = body;
  return {
    organizationId,
    description,
    reason,
    labels,
    environment,
    allowedNetworks: allowedNetworks?.map(requireNetwork),
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
    callerBounds,
  };
}

function requireNetwork(text: string): Network {
  const network = parseNetwork(text);
  invariant(network.ok, 'a network was not checked');
  return network.value;
}
