import { fingerprintOf } from '../../shared/api-key/index.ts';
import type { Authenticator, Principal } from '../../shared/authentication/index.ts';
import { type EvaluateAccessDeps, requirePermission, toCaller } from '../../shared/authorization/index.ts';
import { ok, type Result } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { type AccessTokenClaims, type AccessTokenVerifier, actorsMax } from '../../shared/token/index.ts';
import type { ClientKey } from './client-authentication.ts';
import type { Grant } from './grant.ts';
import { type GrantRefusal, refuse } from './prove-workload.ts';

export type ProveDelegationDeps = {
  /** Refuses a token as every function does: revoked, disabled, expired. */
  readonly authenticator: Authenticator;
  readonly accessTokens: AccessTokenVerifier;
  readonly access: EvaluateAccessDeps;
  /** The team that owns an account, in which somebody may have been given the permission. */
  ownerTeamOf(organizationId: OrganizationId, account: string): Promise<string | undefined>;
};

type Proven = { readonly principal: Principal; readonly claims: AccessTokenClaims };

/**
 * Lets a client act for the subject of an access token of ours, RFC 8693 section 1.1: delegation, never impersonation,
 * since the token goes on naming both. The client needs the permission on that very account; both are of one
 * organization; and what comes out is never wider, nor good for longer, than what went in.
 */
export async function proveDelegation(
  deps: ProveDelegationDeps,
  client: ClientKey,
  presented: { readonly subjectToken: string; readonly actorToken: string | undefined },
): Promise<Result<Grant, GrantRefusal>> {
  const subject = await prove(deps, presented.subjectToken);
  if (!subject.ok) return subject;
  const { principal, claims } = subject.value;
  if (claims.organizationId !== client.organizationId) return refuse('other_organization');
  if (claims.subject === client.serviceAccountId) return refuse('own_token');
  if (claims.actors.length >= actorsMax) return refuse('too_many_actors');
  const actor = await proveActor(deps, client, presented.actorToken);
  if (!actor.ok) return actor;
  if (!(await mayActAs(deps, client, claims.subject))) return refuse('not_permitted');
  return ok({
    organizationId: claims.organizationId,
    subject: claims.subject,
    issuedFor: claims.issuedFor,
    actors: [{ subject: client.serviceAccountId, apiKeyId: client.id }, ...claims.actors],
    scopes: principal.scopes,
    goodUntil: claims.expiresAt,
    fingerprint: fingerprintOf(client.id, client.lastFour),
  });
}

async function prove(deps: ProveDelegationDeps, token: string): Promise<Result<Proven, GrantRefusal>> {
  const verified = await deps.accessTokens.verify(token);
  if (!verified.ok) return refuse(`subject_${verified.failure.reason}`);
  const authenticated = await deps.authenticator.authenticate(`Bearer ${token}`);
  if (authenticated.ok) return ok({ principal: authenticated.value, claims: verified.value });
  const { failure } = authenticated;
  return refuse(`subject_${failure.code === 'credential.invalid' ? failure.reason : 'malformed'}`);
}

/** The client has proven who it is; an actor token may only say the same again. */
async function proveActor(
  deps: ProveDelegationDeps,
  client: ClientKey,
  token: string | undefined,
): Promise<Result<undefined, GrantRefusal>> {
  if (token === undefined) return ok(undefined);
  const actor = await prove(deps, token);
  if (!actor.ok) return refuse('actor_token');
  const { subject, actors } = actor.value.claims;
  return subject === client.serviceAccountId && actors.length === 0 ? ok(undefined) : refuse('actor_token');
}

async function mayActAs(
  deps: ProveDelegationDeps,
  { organizationId, serviceAccountId, scopes }: ClientKey,
  id: string,
): Promise<boolean> {
  const team = await deps.ownerTeamOf(organizationId, id);
  const holder = { organizationId, type: 'service_account', id: serviceAccountId };
  const permitted = await requirePermission(deps.access, {
    caller: toCaller({ ...holder, ...(scopes === undefined ? {} : { scopes }) }),
    permission: 'service_account:act_as',
    resource: { id, properties: { organization: organizationId, ...(team === undefined ? {} : { team }) } },
  });
  return permitted.ok;
}
