import type { KoaContextWithOIDC } from 'oidc-provider';
import type { JsonObject } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import type { ServiceAccountId } from '../../shared/service-account/index.ts';
import type { ActingParty, IssuedFor } from '../../shared/token/index.ts';

/** What a request has proven, and so what its token says. */
export type Grant = {
  readonly organizationId: OrganizationId;
  readonly subject: ServiceAccountId;
  readonly issuedFor: IssuedFor;
  /** Outermost first; empty when the subject acts for itself. */
  readonly actors: readonly ActingParty[];
  /** Absent: not narrowed. Never empty: an empty claim would read as absent. */
  readonly scopes: readonly string[] | undefined;
  /** Of what it was proven by: the token is good no longer. */
  readonly goodUntil: Date | undefined;
  /** Of the foreign token: whom it named, and what may be used once. */
  readonly workload?: { readonly subject: string; readonly use: TokenUse | undefined };
  readonly fingerprint?: string;
};

export type TokenUse = { readonly digest: Uint8Array; readonly until: Date };

/** Grants of requests under way, between the library's hooks. */
export type Grants = {
  set(ctx: KoaContextWithOIDC, grant: Grant): void;
  of(ctx: KoaContextWithOIDC): Grant | undefined;
  /** Why a request proved nothing; for the trail, never for the answer. */
  refuse(ctx: KoaContextWithOIDC, reason: string): void;
  refusalOf(ctx: KoaContextWithOIDC): string | undefined;
};

export function createGrants(): Grants {
  const grants = new WeakMap<KoaContextWithOIDC, Grant>();
  const refusals = new WeakMap<KoaContextWithOIDC, string>();
  return {
    set: (ctx, grant) => void grants.set(ctx, grant),
    of: (ctx) => grants.get(ctx),
    refuse: (ctx, reason) => void refusals.set(ctx, reason),
    refusalOf: (ctx) => refusals.get(ctx),
  };
}

/** The claims of ours; the library adds those of RFC 9068. */
export function claimsOf({ organizationId, issuedFor, actors }: Grant): JsonObject {
  const act = toActClaim(actors);
  return {
    org_id: organizationId,
    [`${issuedFor.type}_id`]: issuedFor.id,
    ...(act === undefined ? {} : { act }),
  };
}

/** RFC 8693 section 4.1: the one who acts now, and within it the one who acted before. */
function toActClaim([actor, ...before]: readonly ActingParty[]): JsonObject | undefined {
  if (actor === undefined) return undefined;
  const act = toActClaim(before);
  return { sub: actor.subject, api_key_id: actor.apiKeyId, ...(act === undefined ? {} : { act }) };
}
