import { z } from 'zod';
import { type Fail, fail, ok, type Result } from '../kernel/index.ts';
import { discoveryUrlOf } from './issuer-url.ts';
import { type JsonWebKeySet, parsePublishedKeys } from './json-web-key-set.ts';
import type { FetchRemoteJson } from './remote-json.ts';
import type { RemoteJsonFailure } from './remote-json-failure.ts';

/** `reason` is for logs, and for the audit trail without what would tell of our own network. */
export type IssuerKeysFailure = {
  readonly code: 'issuer_keys.unavailable';
  readonly reason:
    | RemoteJsonFailure['reason']
    | 'other_issuer'
    | 'not_a_key_set'
    | 'too_many_fetches'
    | 'too_many_failures';
};

export type FetchIssuerKeysDeps = {
  readonly fetchJson: FetchRemoteJson;
  /** Issuers the operator lists, which may be http and at private addresses. */
  readonly internalIssuers: ReadonlySet<string>;
};

export type FetchedKeys = { readonly jwks: JsonWebKeySet; readonly maxAgeSeconds: number | undefined };

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string().max(2_048) });

/**
 * The keys of an issuer by way of its discovery document, which must name that very issuer (OpenID Connect Discovery
 * 1.0 section 4.3): otherwise one issuer could speak for another. The key set's address is guarded like the first.
 */
export async function fetchIssuerKeys(
  deps: FetchIssuerKeysDeps,
  issuer: string,
): Promise<Result<FetchedKeys, IssuerKeysFailure>> {
  const isListed = deps.internalIssuers.has(issuer);
  const discovered = await deps.fetchJson(discoveryUrlOf(issuer), { isInternal: isListed });
  if (!discovered.ok) return unavailable(discovered.failure.reason);
  const document = discoverySchema.safeParse(discovered.value.value);
  if (!document.success || document.data.issuer !== issuer) return unavailable('other_issuer');
  const { jwks_uri: address } = document.data;
  const isInternal = isListed && URL.canParse(address) && new URL(address).origin === new URL(issuer).origin;
  const fetched = await deps.fetchJson(address, { isInternal });
  if (!fetched.ok) return unavailable(fetched.failure.reason);
  const jwks = parsePublishedKeys(fetched.value.value);
  if (jwks === undefined) return unavailable('not_a_key_set');
  return ok({ jwks, maxAgeSeconds: fetched.value.maxAgeSeconds });
}

export function unavailable(reason: IssuerKeysFailure['reason']): Fail<IssuerKeysFailure> {
  return fail({ code: 'issuer_keys.unavailable', reason });
}
