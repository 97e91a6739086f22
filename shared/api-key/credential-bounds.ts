import { fail, ok, type Result } from '../kernel/index.ts';
import { liesWithin } from './allowed-networks.ts';

/** Where from and until when a credential works, whatever its scopes. A Principal has those of the key behind it. */
export type CredentialBounds = {
  /** CIDR in its one form; absent: from anywhere. */
  readonly allowedNetworks?: readonly string[] | undefined;
  /** Absent: until it is revoked. */
  readonly expiresAt?: Date | undefined;
};

export type BoundsFailure =
  /** `within`: where the caller's own credential works. */
  | { readonly code: 'api_key.networks_beyond_caller'; readonly within: readonly string[] }
  /** `until`: when the caller's own credential ends. */
  | { readonly code: 'api_key.expiry_beyond_caller'; readonly until: Date };

/**
 * Threat: whoever has stolen a credential that is bound to networks, or about to end, makes itself one that is not. What
 * a caller gets the text of works nowhere and never that the caller's own credential does not.
 */
export function checkBounds(
  wanted: CredentialBounds,
  { allowedNetworks: within, expiresAt: until }: CredentialBounds,
): Result<true, BoundsFailure> {
  const { allowedNetworks: networks, expiresAt } = wanted;
  const isInside = (network: string) => within?.some((own) => liesWithin(network, own)) === true;
  if (within !== undefined && networks?.every(isInside) !== true)
    return fail({ code: 'api_key.networks_beyond_caller', within });
  if (until !== undefined && (expiresAt === undefined || until < expiresAt))
    return fail({ code: 'api_key.expiry_beyond_caller', until });
  return ok(true);
}
